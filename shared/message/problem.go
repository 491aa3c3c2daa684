package message

// Problem is a refusal on the wire, RFC 9457 `application/problem+json`.
type Problem struct {
	TypeURI  string         `json:"type" doc:"Names the kind of problem"`
	Title    string         `json:"title" doc:"HTTP status text"`
	Status   int            `json:"status" doc:"HTTP status"`
	Code     string         `json:"code" doc:"Stable code for machines"`
	Detail   string         `json:"detail" doc:"What is wrong and how to mend it, in French"`
	DetailEN string         `json:"detail_en" doc:"The same in English"`
	Errors   []ProblemField `json:"errors,omitempty" doc:"One entry per field at fault"`
	TraceID  string         `json:"trace_id,omitempty" doc:"What to quote to support"`
}

// ProblemField is one field at fault.
type ProblemField struct {
	Field    string `json:"field" doc:"Path of the field, as sent: pdl.logements"`
	Code     string `json:"code" doc:"Stable code"`
	Detail   string `json:"detail" doc:"In French"`
	DetailEN string `json:"detail_en" doc:"In English"`
}

// Type is the type of a refusal that travels as an event's data.
func (Problem) Type() string { return "fr.aquaerp.probleme.v1" }

func (p *Problem) Error() string { return p.Code + ": " + p.Detail }
