package tarif

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
	"strconv"
)

// uint128 is a non-negative integer below 2^128; [uint128.addInt64] reads it as a sum in two's complement instead.
type uint128 struct{ hi, lo uint64 }

// u128 needs 0 <= x.
func u128(x int64) uint128 { return uint128{lo: uint64(x)} }

func (x uint128) isZero() bool { return x.hi|x.lo == 0 }

func (x uint128) cmp(y uint128) int {
	return cmp.Or(cmp.Compare(x.hi, y.hi), cmp.Compare(x.lo, y.lo))
}

// add wraps around at 2^128.
func (x uint128) add(y uint128) uint128 {
	lo, carry := bits.Add64(x.lo, y.lo, 0)
	hi, _ := bits.Add64(x.hi, y.hi, carry)
	return uint128{hi, lo}
}

// sub needs y <= x.
func (x uint128) sub(y uint128) uint128 {
	lo, borrow := bits.Sub64(x.lo, y.lo, 0)
	hi, _ := bits.Sub64(x.hi, y.hi, borrow)
	return uint128{hi, lo}
}

// mul stays at the largest uint128 when the product does not fit, which is past every bound a product is held against.
func (x uint128) mul(y int64) uint128 {
	hi, lo := bits.Mul64(x.lo, uint64(y))
	over, top := bits.Mul64(x.hi, uint64(y))
	hi, carry := bits.Add64(hi, top, 0)
	if over|carry != 0 {
		return uint128{math.MaxUint64, math.MaxUint64}
	}
	return uint128{hi, lo}
}

// div returns floor(x / y), or false when that is not a uint64.
func (x uint128) div(y uint64) (uint64, bool) {
	if x.hi >= y {
		return 0, false
	}
	q, _ := bits.Div64(x.hi, x.lo, y)
	return q, true
}

// round returns x / y rounded half up, or false when that is not a uint64. y is even.
func (x uint128) round(y uint64) (uint64, bool) {
	sum := x.add(uint128{lo: y / 2})
	if sum.hi < x.hi {
		return 0, false
	}
	return sum.div(y)
}

// addInt64 adds to a sum in two's complement, exact for fewer than 2^64 terms.
func (x uint128) addInt64(y int64) uint128 {
	return x.add(uint128{uint64(y >> 63), uint64(y)})
}

// toInt64 returns a sum in two's complement, or false when it does not fit.
func (x uint128) toInt64() (int64, bool) {
	y := int64(x.lo)
	return y, x.hi == uint64(y>>63)
}

// mulDiv returns quotient and remainder of x*y / z, for y <= z.
func mulDiv(x, y, z uint128) (quo, rem uint128) {
	if x.hi|y.hi|z.hi == 0 {
		hi, lo := bits.Mul64(x.lo, y.lo)
		q, r := bits.Div64(hi, lo, z.lo)
		return uint128{lo: q}, uint128{lo: r}
	}
	q, r := new(big.Int), new(big.Int)
	q.QuoRem(q.Mul(x.big(), y.big()), z.big(), r)
	return fromBig(q), fromBig(r)
}

func (x uint128) big() *big.Int {
	b := new(big.Int).SetUint64(x.hi)
	return b.Lsh(b, 64).Add(b, new(big.Int).SetUint64(x.lo))
}

func (x uint128) String() string {
	if x.hi == 0 {
		return strconv.FormatUint(x.lo, 10)
	}
	return x.big().String()
}

// fromBig needs 0 <= b < 2^128.
func fromBig(b *big.Int) uint128 {
	var buf [16]byte
	b.FillBytes(buf[:])
	return uint128{binary.BigEndian.Uint64(buf[:8]), binary.BigEndian.Uint64(buf[8:])}
}
