package facturx

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	_ "embed"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf16"
)

// Description is what an archived PDF says of itself.
type Description struct {
	Titre, Auteur string
	Date          time.Time
}

//go:embed sRGB2014.icc
var srgb []byte

// profile is the colour profile that a page's colours are meant in.
var profile = sync.OnceValue(func() []byte { return deflate(srgb) })

// attached is the name that Factur-X gives to the invoice within the PDF.
const attached = "factur-x.xml"

const producer = "AquaERP"

// Archiver makes a PDF/A-3 of a page that fpdf drew with embedded fonts: it
// states the colour space, describes the document (XMP), and attaches the
// invoice that it shows, unless invoice is nil.
//
// fpdf can do neither /AFRelationship nor /ID, and pdfcpu, which can, costs
// every start of the function 20 ms before main. What fpdf writes is plain: its
// objects one after the other, a table of where each begins, and last the two
// that describe the whole. Those two and the table are written anew.
func Archiver(pdf []byte, d Description, invoice []byte) ([]byte, error) {
	f, err := open(pdf)
	if err != nil {
		return nil, err
	}
	icc := f.stream("/N 3 /Filter /FlateDecode", profile())
	meta := f.stream("/Type /Metadata /Subtype /XML", xmp(d, invoice != nil))
	files := ""
	if invoice != nil {
		file := f.stream(fmt.Sprintf("/Type /EmbeddedFile /Subtype /text#2Fxml /Params <</ModDate %s /Size %d>> /Filter /FlateDecode", moment(d.Date), len(invoice)), deflate(invoice))
		spec := f.object(fmt.Sprintf("<</Type /Filespec /F (%s) /UF (%s) /Desc (Factur-X) /AFRelationship /Alternative /EF <</F %d 0 R /UF %d 0 R>>>>", attached, attached, file, file))
		files = fmt.Sprintf(" /AF [%d 0 R] /Names <</EmbeddedFiles <</Names [(%s) %d 0 R]>>>>", spec, attached, spec)
	}
	info := f.object(fmt.Sprintf("<</Title %s /Author %s /Producer (%s) /CreationDate %s /ModDate %s>>", text(d.Titre), text(d.Auteur), producer, moment(d.Date), moment(d.Date)))
	root := f.object(fmt.Sprintf("<</Type /Catalog /Pages 1 0 R /Lang (fr-FR) /ViewerPreferences <</DisplayDocTitle true>> /Metadata %d 0 R"+
		" /OutputIntents [<</Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier (sRGB) /Info (sRGB IEC61966-2.1) /DestOutputProfile %d 0 R>>]%s>>", meta, icc, files))
	return f.close(root, info), nil
}

// file is a PDF being written: its bytes, and where each object begins.
type file struct {
	bytes.Buffer
	offsets []int
}

// open takes the pages of a PDF that fpdf wrote: all its objects but the last
// two, its description and its catalog.
func open(pdf []byte) (*file, error) {
	tail := pdf[max(0, len(pdf)-64):]
	_, start, found := bytes.Cut(tail, []byte("startxref\n"))
	start, _, _ = bytes.Cut(start, []byte("\n"))
	at, err := strconv.Atoi(string(start))
	if !found || err != nil || at >= len(pdf) || !bytes.HasPrefix(pdf, []byte("%PDF-1.")) {
		return nil, fmt.Errorf("not a PDF of fpdf")
	}
	var n int
	if _, err := fmt.Sscanf(string(pdf[at:min(at+20, len(pdf))]), "xref\n0 %d", &n); err != nil || n < 4 {
		return nil, fmt.Errorf("no table of objects: %w", err)
	}
	_, table, _ := bytes.Cut(pdf[at+5:], []byte("\n"))
	if len(table)/20 < n {
		return nil, fmt.Errorf("the table of objects is cut off")
	}
	f := &file{offsets: make([]int, n)}
	for i := range n {
		if f.offsets[i], err = strconv.Atoi(string(table[20*i : 20*i+10])); err != nil {
			return nil, fmt.Errorf("table of objects: %w", err)
		}
	}
	end := f.offsets[n-2]
	if end > at {
		return nil, fmt.Errorf("object %d lies behind the table", n-2)
	}
	f.offsets = f.offsets[:n-2]
	f.Grow(end + 20<<10)
	f.Write(pdf[:end])
	body := f.Bytes()
	body[len("%PDF-1.")] = '7' // a PDF/A-3 is a PDF 1.7
	// A link must say that it is printed; the other words for «no border» leave the room for it.
	for rest := body; ; {
		i := bytes.Index(rest, []byte("] /Border [0 0 0] /A <<"))
		if i < 0 {
			return f, nil
		}
		copy(rest[i+2:], "/F 4/BS<</W 0>>")
		rest = rest[i+2:]
	}
}

func (f *file) object(body string) int {
	n := len(f.offsets)
	f.offsets = append(f.offsets, f.Len())
	fmt.Fprintf(f, "%d 0 obj\n%s\nendobj\n", n, body)
	return n
}

func (f *file) stream(dict string, data []byte) int {
	n := len(f.offsets)
	f.offsets = append(f.offsets, f.Len())
	fmt.Fprintf(f, "%d 0 obj\n<<%s /Length %d>>\nstream\n", n, dict, len(data))
	f.Write(data)
	f.WriteString("\nendstream\nendobj\n")
	return n
}

func (f *file) close(root, info int) []byte {
	at := f.Len()
	digest := sha256.Sum256(f.Bytes())
	fmt.Fprintf(f, "xref\n0 %d\n0000000000 65535 f \n", len(f.offsets))
	for _, o := range f.offsets[1:] {
		fmt.Fprintf(f, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(f, "trailer\n<</Size %d /Root %d 0 R /Info %d 0 R /ID [<%x> <%x>]>>\nstartxref\n%d\n%%%%EOF\n", len(f.offsets), root, info, digest[:16], digest[:16], at)
	return f.Bytes()
}

// writers are zlib writers at rest: a new one takes more memory than a bill.
var writers = sync.Pool{New: func() any { return zlib.NewWriter(nil) }}

func deflate(data []byte) []byte {
	w := writers.Get().(*zlib.Writer)
	defer writers.Put(w)
	var out bytes.Buffer
	w.Reset(&out)
	_, _ = w.Write(data) // into memory
	_ = w.Close()
	return out.Bytes()
}

// text is a string of a PDF, as UTF-16 in hexadecimal.
func text(s string) string {
	var out strings.Builder
	out.WriteString("<FEFF")
	for _, u := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&out, "%04X", u)
	}
	out.WriteByte('>')
	return out.String()
}

func moment(t time.Time) string { return "(D:" + t.UTC().Format("20060102150405") + "Z)" }

// xmp describes a document as PDF/A asks, and as Factur-X asks when it
// carries an invoice.
func xmp(d Description, invoice bool) []byte {
	facturx := ""
	if invoice {
		facturx = xmpFacturX
	}
	at := d.Date.UTC().Format(time.RFC3339)
	return fmt.Appendf(nil, xmpPacket, escaped(d.Titre), escaped(d.Auteur), producer, producer, at, at, facturx)
}

func escaped(s string) string {
	var out strings.Builder
	_ = xml.EscapeText(&out, []byte(s)) // into memory
	return out.String()
}

const xmpPacket = `<?xpacket begin="` + "\uFEFF" + `" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"><pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance></rdf:Description>
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">%s</rdf:li></rdf:Alt></dc:title><dc:creator><rdf:Seq><rdf:li>%s</rdf:li></rdf:Seq></dc:creator></rdf:Description>
<rdf:Description rdf:about="" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"><pdf:Producer>%s</pdf:Producer></rdf:Description>
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"><xmp:CreatorTool>%s</xmp:CreatorTool><xmp:CreateDate>%s</xmp:CreateDate><xmp:ModifyDate>%s</xmp:ModifyDate></rdf:Description>
%s</rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>`

// xmpFacturX names the invoice within, and declares the words that it uses,
// which PDF/A does not know.
const xmpFacturX = `<rdf:Description rdf:about="" xmlns:fx="urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"><fx:DocumentType>INVOICE</fx:DocumentType><fx:DocumentFileName>` + attached + `</fx:DocumentFileName><fx:Version>1.0</fx:Version><fx:ConformanceLevel>EN 16931</fx:ConformanceLevel></rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#"><pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource"><pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema><pdfaSchema:namespaceURI>urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq>
<rdf:li rdf:parseType="Resource"><pdfaProperty:name>DocumentFileName</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category><pdfaProperty:description>name of the embedded XML invoice file</pdfaProperty:description></rdf:li>
<rdf:li rdf:parseType="Resource"><pdfaProperty:name>DocumentType</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category><pdfaProperty:description>INVOICE</pdfaProperty:description></rdf:li>
<rdf:li rdf:parseType="Resource"><pdfaProperty:name>Version</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category><pdfaProperty:description>version of the Factur-X XML schema</pdfaProperty:description></rdf:li>
<rdf:li rdf:parseType="Resource"><pdfaProperty:name>ConformanceLevel</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category><pdfaProperty:description>conformance level of the embedded Factur-X data</pdfaProperty:description></rdf:li>
</rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>
`
