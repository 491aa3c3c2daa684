package tarif

import "time"

// Date is a civil day of the Gregorian calendar, counted from 0001-01-01 which is day 1. The zero Date is no day at all, so a
// date left out is refused ([DateInvalide]) and never billed as some day of long ago.
type Date int32

// lastDate is 9999-12-31, the last day that YYYY-MM-DD can write.
const lastDate Date = 3652059

// ParseDate reads YYYY-MM-DD, from 0001-01-01 to 9999-12-31. It answers [DateInvalide] for anything else.
func ParseDate(s string) (Date, error) {
	if d := parseDate(s); d.Valid() {
		return d, nil
	}
	return 0, DateInvalide
}

// DateOf returns the civil day of t in t's own location (the date column of a row, read as midnight UTC, is that day).
func DateOf(t time.Time) Date {
	year, month, day := t.Date()
	return newDate(year, int(month), day)
}

// Valid tells whether d is a day that YYYY-MM-DD can write.
func (d Date) Valid() bool { return 1 <= d && d <= lastDate }

// String writes d as YYYY-MM-DD.
func (d Date) String() string {
	return time.Date(1, time.January, int(d), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

// MarshalText writes d as YYYY-MM-DD, or answers [DateInvalide].
func (d Date) MarshalText() ([]byte, error) {
	if !d.Valid() {
		return nil, DateInvalide
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what [ParseDate] reads.
func (d *Date) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDate(string(text))
	return err
}

// parseDate returns the zero Date for what is not a day.
func parseDate[T string | []byte](s T) Date {
	if len(s) != len(time.DateOnly) || s[4] != '-' || s[7] != '-' {
		return 0
	}
	var n [3]int // year, month, day
	for i, span := range [3][2]int{{0, 4}, {5, 7}, {8, 10}} {
		for j := span[0]; j < span[1]; j++ {
			digit := s[j] - '0'
			if digit > 9 {
				return 0
			}
			n[i] = n[i]*10 + int(digit)
		}
	}
	year, month, day := n[0], n[1], n[2]
	if year < 1 || month < 1 || month > 12 || day < 1 || day > monthLength(year, month) {
		return 0
	}
	return newDate(year, month, day)
}

func monthLength(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	default:
		return 31
	}
}

// newDate counts the days to a day known to exist. Years begin in March here, so that the leap day ends one.
func newDate(year, month, day int) Date {
	if month < 3 {
		year, month = year-1, month+12
	}
	// 153 days in each five months from March; 306 days from 0000-03-01 to the end of that year of March, less the rest.
	return Date(365*year + year/4 - year/100 + year/400 + (153*month-457)/5 + day - 306)
}
