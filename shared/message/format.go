package message

import "fmt"

// Euros is an amount as French readers write it, on a bill, in a mail or in a
// sentence: 1 234,56 € with spaces that do not break.
func Euros(centimes int64) string {
	sign := ""
	if centimes < 0 {
		sign, centimes = "−", -centimes
	}
	return fmt.Sprintf("%s%s,%02d\u00a0€", sign, Milliers(centimes/100), centimes%100)
}

// Milliers is a whole number that is not negative, its thousands apart.
func Milliers(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}
