package tarif

import (
	"math"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads JSON (RFC 8259) in one pass. Each method that reads a value answers whether it holds the type asked for,
// and moves past the value when it does not; what is not JSON at all makes the scanner broken, for good. Text must be
// Unicode: invalid UTF-8 or half a surrogate pair is not JSON.
type scanner struct {
	line      []byte
	at        int
	broken    bool   // then at is len(line)
	name      []byte // last key read; good until the next string
	unescaped []byte // last string that had escapes
	nest      []byte // what skip is inside of: '{' or '[' per level
}

func (s *scanner) reset(line []byte) {
	s.line, s.at, s.broken = line, 0, false
}

// fail breaks the scanner.
func (s *scanner) fail() bool {
	s.broken, s.at = true, len(s.line)
	return false
}

// peek moves to the next byte that is not a space and returns it, or 0 at the end.
func (s *scanner) peek() byte {
	for ; s.at < len(s.line); s.at++ {
		switch c := s.line[s.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// take moves past c if it is next.
func (s *scanner) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.at++
	return true
}

// end answers whether nothing but spaces is left of a line that is JSON.
func (s *scanner) end() bool { return s.peek() == 0 && s.at == len(s.line) && !s.broken }

// object enters an object.
func (s *scanner) object() bool { return s.take('{') || s.skip() }

// key moves to the value of the next key of the object, or out of the object. n counts its keys, from 0.
func (s *scanner) key(n *int) bool {
	if s.take('}') {
		return false
	}
	if *n > 0 && !s.take(',') {
		return s.fail()
	}
	*n++
	return s.member()
}

// member reads a key into name, and the colon behind.
func (s *scanner) member() bool {
	if s.peek() != '"' {
		return s.fail()
	}
	s.name = s.quoted()
	return s.take(':') || s.fail()
}

// array enters an array.
func (s *scanner) array() bool { return s.take('[') || s.skip() }

// element moves to the next element of the array, or out of the array. n counts them, from 0.
func (s *scanner) element(n *int) bool {
	if s.take(']') {
		return false
	}
	if *n > 0 && !s.take(',') {
		return s.fail()
	}
	*n++
	return !s.broken
}

// string reads a string; it is good until the next one.
func (s *scanner) string() ([]byte, bool) {
	if s.peek() != '"' {
		return nil, s.skip()
	}
	text := s.quoted()
	return text, !s.broken
}

// bool reads true or false.
func (s *scanner) bool(dst *bool) bool {
	switch s.peek() {
	case 't':
		*dst = true
		return s.word("true")
	case 'f':
		*dst = false
		return s.word("false")
	}
	return s.skip()
}

// int64 reads a number written as an integer that fits.
func (s *scanner) int64(dst *int64) bool {
	if c := s.peek(); c != '-' && !digit(c) {
		return s.skip()
	}
	start := s.at
	if whole := s.number(); !whole {
		return false
	}
	token := s.line[start:s.at]
	negative := token[0] == '-'
	if negative {
		token = token[1:]
	}
	if len(token) > 19 { // digits of the largest int64; a uint64 holds any 19
		return false
	}
	var n uint64
	for _, c := range token {
		n = n*10 + uint64(c-'0')
	}
	if negative {
		*dst = -int64(n)
		return n <= -math.MinInt64
	}
	*dst = int64(n)
	return n <= math.MaxInt64
}

// skip moves past any value, however deep, and answers false: it is not what was asked for.
func (s *scanner) skip() bool {
	s.nest = s.nest[:0]
	for {
		open := false
		switch c := s.peek(); {
		case c == '{':
			s.at++
			if open = !s.take('}'); open {
				s.nest = append(s.nest, '{')
				s.member()
			}
		case c == '[':
			s.at++
			if open = !s.take(']'); open {
				s.nest = append(s.nest, '[')
			}
		case c == '"':
			s.quoted()
		case c == 't':
			s.word("true")
		case c == 'f':
			s.word("false")
		case c == 'n':
			s.word("null")
		case c == '-' || digit(c):
			s.number()
		default:
			s.fail()
		}
		for !open {
			if len(s.nest) == 0 || s.broken {
				return false
			}
			inside := s.nest[len(s.nest)-1]
			switch {
			case s.take(','):
				open = inside == '[' || s.member()
			case inside == '{' && s.take('}') || inside == '[' && s.take(']'):
				s.nest = s.nest[:len(s.nest)-1]
			default:
				s.fail()
			}
		}
	}
}

// word reads a literal.
func (s *scanner) word(w string) bool {
	if len(s.line)-s.at < len(w) || string(s.line[s.at:s.at+len(w)]) != w {
		return s.fail()
	}
	s.at += len(w)
	return true
}

// number reads a number and answers whether it has neither fraction nor exponent.
func (s *scanner) number() (whole bool) {
	s.byte('-')
	if !s.byte('0') && !s.digits() {
		return s.fail()
	}
	whole = true
	if s.byte('.') {
		whole = false
		if !s.digits() {
			return s.fail()
		}
	}
	if s.byte('e') || s.byte('E') {
		whole = false
		if !s.byte('+') {
			s.byte('-')
		}
		if !s.digits() {
			return s.fail()
		}
	}
	return whole
}

// byte moves past c if it is right here.
func (s *scanner) byte(c byte) bool {
	if s.at == len(s.line) || s.line[s.at] != c {
		return false
	}
	s.at++
	return true
}

// digits moves past digits, at least one.
func (s *scanner) digits() bool {
	start := s.at
	for s.at < len(s.line) && digit(s.line[s.at]) {
		s.at++
	}
	return s.at > start
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// quoted reads the string that begins here, and returns its text: part of the line, or of s.unescaped when it has escapes.
func (s *scanner) quoted() []byte {
	s.at++
	start, escaped := s.at, false
	for s.at < len(s.line) {
		switch c := s.line[s.at]; {
		case c == '"':
			text := s.line[start:s.at]
			s.at++
			if escaped {
				s.unescaped = append(s.unescaped, text...)
				return s.unescaped
			}
			return text
		case c == '\\':
			if !escaped {
				s.unescaped, escaped = s.unescaped[:0], true
			}
			s.unescaped = append(s.unescaped, s.line[start:s.at]...)
			s.at++
			s.escape()
			start = s.at
		case c < ' ':
			s.fail()
		case c < utf8.RuneSelf:
			s.at++
		default:
			r, size := utf8.DecodeRune(s.line[s.at:])
			if r == utf8.RuneError && size == 1 {
				s.fail()
				return nil
			}
			s.at += size
		}
	}
	s.fail()
	return nil
}

// escape reads what follows a backslash onto s.unescaped.
func (s *scanner) escape() {
	if s.at == len(s.line) {
		s.fail()
		return
	}
	c := s.line[s.at]
	s.at++
	switch c {
	case '"', '\\', '/':
		s.unescaped = append(s.unescaped, c)
	case 'b':
		s.unescaped = append(s.unescaped, '\b')
	case 'f':
		s.unescaped = append(s.unescaped, '\f')
	case 'n':
		s.unescaped = append(s.unescaped, '\n')
	case 'r':
		s.unescaped = append(s.unescaped, '\r')
	case 't':
		s.unescaped = append(s.unescaped, '\t')
	case 'u':
		r := s.hex4()
		if utf16.IsSurrogate(r) {
			if !s.byte('\\') || !s.byte('u') {
				s.fail()
				return
			}
			if r = utf16.DecodeRune(r, s.hex4()); r == utf8.RuneError {
				s.fail()
				return
			}
		}
		s.unescaped = utf8.AppendRune(s.unescaped, r)
	default:
		s.fail()
	}
}

// hex4 reads four hexadecimal digits.
func (s *scanner) hex4() (r rune) {
	if len(s.line)-s.at < 4 {
		s.fail()
		return 0
	}
	for range 4 {
		c := s.line[s.at]
		s.at++
		switch {
		case digit(c):
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			s.fail()
			return 0
		}
	}
	return r
}
