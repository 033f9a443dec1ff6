package array

import "fmt"

// DType is the type of an element.
type DType uint8

// The element types. Bool is one byte, 0 or 1.
const (
	Invalid DType = iota
	Float32
	Float64
	BFloat16
	Float16
	Int8
	Uint8
	Int32
	Int64
	Bool
)

var dtypes = [...]struct {
	name string
	size int
}{
	Invalid: {"invalid", 0}, Float32: {"float32", 4}, Float64: {"float64", 8}, BFloat16: {"bfloat16", 2}, Float16: {"float16", 2},
	Int8: {"int8", 1}, Uint8: {"uint8", 1}, Int32: {"int32", 4}, Int64: {"int64", 8}, Bool: {"bool", 1},
}

// DTypes lists every valid element type.
func DTypes() []DType {
	return []DType{Float32, Float64, BFloat16, Float16, Int8, Uint8, Int32, Int64, Bool}
}

// String gives the name that NumPy and Keras use, such as "float32".
func (d DType) String() string {
	if int(d) >= len(dtypes) {
		return fmt.Sprintf("dtype(%d)", d)
	}
	return dtypes[d].name
}

// Size is the number of bytes of one element.
func (d DType) Size() int {
	if int(d) >= len(dtypes) {
		return 0
	}
	return dtypes[d].size
}

// Valid reports whether d is one of the element types.
func (d DType) Valid() bool { return d > Invalid && d <= Bool }

// IsFloat reports whether d is a floating-point type.
func (d DType) IsFloat() bool { return d >= Float32 && d <= Float16 }

// IsInt reports whether d is an integer type (Bool is not).
func (d DType) IsInt() bool { return d >= Int8 && d <= Int64 }

// ParseDType finds a type by its name.
func ParseDType(name string) (DType, error) {
	for d := Float32; d <= Bool; d++ {
		if dtypes[d].name == name {
			return d, nil
		}
	}
	return Invalid, fmt.Errorf("array: unknown dtype %q (known: float32, float64, bfloat16, float16, int8, uint8, int32, int64, bool)", name)
}

// MarshalText writes the name.
func (d DType) MarshalText() ([]byte, error) {
	if !d.Valid() {
		return nil, fmt.Errorf("array: dtype %d is not valid", d)
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads the name.
func (d *DType) UnmarshalText(b []byte) error {
	v, err := ParseDType(string(b))
	if err == nil {
		*d = v
	}
	return err
}
