package jsonvalue

import (
	"math"
	"strconv"
)

// Int is the value of a number without a fraction and an exponent; ok is false for any
// other value, and for numbers that an int64 cannot hold.
func (v Value) Int() (n int64, ok bool) {
	if v.Kind() != Number {
		return 0, false
	}
	digits := v.text
	negative := digits[0] == '-'
	if negative {
		digits = digits[1:]
	}
	for _, c := range []byte(digits) { // below 0 until the end: the smallest number has no counterpart
		d := int64(c - '0')
		if c < '0' || c > '9' || n < (math.MinInt64+d)/10 {
			return 0, false
		}
		n = 10*n - d
	}
	if negative {
		return n, true
	}
	if n == math.MinInt64 {
		return 0, false
	}
	return -n, true
}

// Float is the value of a number, rounded to the nearest float64; ok is false for any
// other value, and for numbers that are larger than any float64.
func (v Value) Float() (n float64, ok bool) {
	if v.Kind() != Number {
		return 0, false
	}
	n, err := strconv.ParseFloat(v.text, 64)
	if err != nil {
		return 0, false
	}
	return n, true
}
