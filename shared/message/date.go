package message

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// Date is a civil day in Europe/Paris, `YYYY-MM-DD` on the wire. The zero
// Date is no day at all and is left out (omitzero).
type Date struct{ t time.Time }

// NewDate is the given day; out-of-range values are normalised as by time.Date.
func NewDate(year int, month time.Month, day int) Date {
	return Date{time.Date(year, month, day, 0, 0, 0, 0, time.UTC)}
}

// ParseDate reads `YYYY-MM-DD`.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, fmt.Errorf("%q is not a day YYYY-MM-DD", s)
	}
	return Date{t}, nil
}

// DateOf is the day of an instant in Europe/Paris.
func DateOf(t time.Time) Date {
	y, m, d := t.In(paris).Date()
	return NewDate(y, m, d)
}

func (d Date) IsZero() bool       { return d.t.IsZero() }
func (d Date) Before(o Date) bool { return d.t.Before(o.t) }
func (d Date) After(o Date) bool  { return d.t.After(o.t) }

// AddDays is the day n days later; n may be negative.
func (d Date) AddDays(n int) Date { return Date{d.t.AddDate(0, 0, n)} }

// AddMonths is the same day n months later, or the last of that month when it
// has no such day.
func (d Date) AddMonths(n int) Date {
	first := NewDate(d.t.Year(), d.t.Month()+time.Month(n), 1)
	last := first.t.AddDate(0, 1, -1).Day()
	return first.AddDays(min(d.t.Day(), last) - 1)
}

// DaysSince is the number of days from o to d.
func (d Date) DaysSince(o Date) int { return int(d.t.Sub(o.t) / (24 * time.Hour)) }

// Year of the day.
func (d Date) Year() int { return d.t.Year() }

// Time is midnight UTC of the day, for formatting.
func (d Date) Time() time.Time { return d.t }

// Francais is the day as French readers write it, dd/mm/yyyy.
func (d Date) Francais() string { return d.t.Format("02/01/2006") }

func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.t.Format(time.DateOnly)
}

// MarshalText implements encoding.TextMarshaler.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; it takes what ParseDate takes.
func (d *Date) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = Date{}
		return nil
	}
	p, err := ParseDate(string(b))
	if err != nil {
		return err
	}
	*d = p
	return nil
}

// Value implements driver.Valuer: a SQL date, null for the zero Date.
func (d Date) Value() (driver.Value, error) {
	if d.IsZero() {
		return nil, nil
	}
	return d.t, nil
}

// Scan implements sql.Scanner.
func (d *Date) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*d = Date{}
	case time.Time:
		y, m, day := v.Date()
		*d = NewDate(y, m, day)
	case string:
		return d.UnmarshalText([]byte(v))
	default:
		return fmt.Errorf("a %T is not a date", v)
	}
	return nil
}
