package nn

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"

	"github.com/kun-ml/kun/tensor"
)

// Registry knows the types behind an interface by name, so that a configuration can hold them:
// {"dense": {"units": 10}}. It is safe for concurrent use.
type Registry[T any] struct {
	pkg    string // of T, for messages
	what   string
	mu     sync.RWMutex
	makers map[string]func() T
	names  map[reflect.Type]string
}

// Layers, Initializers and Regularizers are the types that Marshal and Unmarshal know.
var (
	Layers       = NewRegistry[Layer]("nn", "layer")
	Initializers = NewRegistry[tensor.Initializer]("nn", "initialiser")
	Regularizers = NewRegistry[Regularizer]("nn", "regulariser")
)

func init() {
	Layers.Register("dense", func() Layer { return new(Dense) })
	Layers.Register("flatten", func() Layer { return new(Flatten) })
	Layers.Register("reshape", func() Layer { return new(Reshape) })
	Layers.Register("dropout", func() Layer { return new(Dropout) })
	Layers.Register("embedding", func() Layer { return new(Embedding) })
	Layers.Register("activation", func() Layer { return new(Activation) })
	Layers.Register("sequential", func() Layer { return new(Sequential) })

	for _, i := range []Init{Zeros, Ones, GlorotUniform, GlorotNormal, HeUniform, HeNormal, LecunUniform, LecunNormal} {
		Initializers.Register(string(i), func() tensor.Initializer { return i })
	}
	Initializers.Register("constant", func() tensor.Initializer { return Constant{} })
	Initializers.Register("random_normal", func() tensor.Initializer { return RandomNormal{} })
	Initializers.Register("random_uniform", func() tensor.Initializer { return RandomUniform{} })
	Initializers.Register("truncated_normal", func() tensor.Initializer { return TruncatedNormal{} })
	Initializers.Register("variance_scaling", func() tensor.Initializer { return VarianceScaling{} })
	Initializers.Register("orthogonal", func() tensor.Initializer { return Orthogonal{} })
	Initializers.Register("identity", func() tensor.Initializer { return Identity{} })

	Regularizers.Register("l1", func() Regularizer { return L1{} })
	Regularizers.Register("l2", func() Regularizer { return L2{} })
	Regularizers.Register("l1_l2", func() Regularizer { return L1L2{} })
}

// Register makes a type of layer known to Marshal, Unmarshal and configuration files under a name in snake case. make
// gives a fresh layer with its defaults. It panics when the name is taken: registration happens at the program's start.
func Register(name string, make func() Layer) { Layers.Register(name, make) }

// Marshal writes the configuration of a layer, or of a whole model, as JSON: Sequential as a list, any other layer as
// {"dense": {"units": 128, "activation": "relu"}}. Only what differs from the Go zero value is written; weights are not.
func Marshal(l Layer) ([]byte, error) { return Layers.Marshal(l) }

// Unmarshal makes a layer from what Marshal wrote. It is strict: unknown names, unknown or doubled keys and wrong types
// are errors. A layer without settings may be written as its name alone, "flatten".
func Unmarshal(b []byte) (Layer, error) { return Layers.Unmarshal(b) }

// codec is a Registry without its type parameter.
type codec interface {
	kind() string
	known() []string
	fresh(name string) (reflect.Value, bool) // of the interface type
	nameOf(v reflect.Value) (name string, bare bool)
}

var (
	codecsMu sync.RWMutex
	codecs   = map[reflect.Type]codec{}
)

func codecOf(t reflect.Type) codec {
	codecsMu.RLock()
	defer codecsMu.RUnlock()
	return codecs[t]
}

// NewRegistry makes the registry of the interface type T and tells all registries about it, so that fields of type T can
// be written. Messages begin with pkg and call one of its values what. It panics for a second registry of the same type.
func NewRegistry[T any](pkg, what string) *Registry[T] {
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Interface {
		panic("nn: NewRegistry: " + t.String() + " is not an interface")
	}
	r := &Registry[T]{pkg: pkg, what: what, makers: map[string]func() T{}, names: map[reflect.Type]string{}}
	codecsMu.Lock()
	defer codecsMu.Unlock()
	if codecs[t] != nil {
		panic("nn: NewRegistry: " + t.String() + " has a registry already")
	}
	codecs[t] = r
	return r
}

// Register adds a type under a name in snake case. Several names may make the same type; the first is the one that is
// written. It panics when the name is taken.
func (r *Registry[T]) Register(name string, make func() T) {
	v := reflect.ValueOf(make())
	r.mu.Lock()
	defer r.mu.Unlock()
	if name == "" || r.makers[name] != nil {
		panic(fmt.Sprintf("nn: Register: the name %q of a %s is empty or taken", name, r.what))
	}
	r.makers[name] = make
	if t := base(v.Type()); r.names[t] == "" && !isName(v, name) {
		r.names[t] = name
	}
}

func base(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// isName reports whether a value is its own name, such as nn.GlorotUniform.
func isName(v reflect.Value, name string) bool {
	return v.Kind() == reflect.String && v.String() == name
}

// UnknownNameError tells of a name that no type is registered under.
type UnknownNameError struct {
	What string // "layer", "initialiser", ...
	Name string // as it was found, shortened
	Hint string // the nearest known name, or all of them
}

// Error names both.
func (e *UnknownNameError) Error() string {
	return fmt.Sprintf("unknown %s %q; %s", e.What, e.Name, e.Hint)
}

func unknown(what, name string, known []string) error {
	return &UnknownNameError{what, short([]byte(name)), didYouMean(name, known)}
}

// Names lists the registered names, sorted.
func (r *Registry[T]) Names() []string { return r.known() }

// Make gives a fresh value of the type with that name. An unknown name is an error that gives the nearest known one.
func (r *Registry[T]) Make(name string) (T, error) {
	r.mu.RLock()
	f := r.makers[name]
	r.mu.RUnlock()
	if f == nil {
		var zero T
		return zero, fmt.Errorf("%s: %w", r.pkg, unknown(r.what, name, r.known()))
	}
	return f(), nil
}

// NameOf is the name under which the type of v is registered; empty when it is not.
func (r *Registry[T]) NameOf(v T) string {
	x := reflect.ValueOf(v)
	if !x.IsValid() {
		return ""
	}
	name, _ := r.nameOf(x)
	return name
}

func (r *Registry[T]) kind() string { return r.what }

func (r *Registry[T]) known() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Sorted(maps.Keys(r.makers))
}

func (r *Registry[T]) fresh(name string) (reflect.Value, bool) {
	r.mu.RLock()
	f := r.makers[name]
	r.mu.RUnlock()
	if f == nil {
		return reflect.Value{}, false
	}
	v := f()
	return reflect.ValueOf(&v).Elem(), true
}

func (r *Registry[T]) nameOf(v reflect.Value) (name string, bare bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if v.Kind() == reflect.String {
		if f := r.makers[v.String()]; f != nil && isName(reflect.ValueOf(f()), v.String()) {
			return v.String(), true
		}
	}
	return r.names[base(v.Type())], false
}
