package loss

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
)

var (
	mu     sync.RWMutex
	makers = map[string]func() Loss{}
	names  = map[reflect.Type]string{}
)

func init() {
	Register("mean_squared_error", func() Loss { return MeanSquaredError{} })
	Register("mse", func() Loss { return MeanSquaredError{} })
	Register("mean_absolute_error", func() Loss { return MeanAbsoluteError{} })
	Register("mae", func() Loss { return MeanAbsoluteError{} })
	Register("huber", func() Loss { return Huber{} })
	Register("binary_crossentropy", func() Loss { return BinaryCrossEntropy{} })
	Register("categorical_crossentropy", func() Loss { return CategoricalCrossEntropy{} })
	Register("sparse_categorical_crossentropy", func() Loss { return SparseCategoricalCrossEntropy{} })
}

// Register makes a type of loss known under a name in snake case. make gives a fresh one with its defaults; its settings
// are what encoding/json reads and writes. Several names may make the same type: the first is the one that is written.
// It panics when the name is taken: registration happens at the program's start.
func Register(name string, make func() Loss) {
	t := reflect.TypeOf(make())
	mu.Lock()
	defer mu.Unlock()
	if name == "" || makers[name] != nil {
		panic(fmt.Sprintf("loss: Register: the name %q is empty or taken", name))
	}
	makers[name] = make
	if names[t] == "" {
		names[t] = name
	}
}

// Names lists the registered names, sorted.
func Names() []string {
	mu.RLock()
	defer mu.RUnlock()
	return slices.Sorted(maps.Keys(makers))
}

// Named gives the loss of that name with its defaults. An unknown name is an error that gives the nearest known one.
func Named(name string) (Loss, error) {
	mu.RLock()
	f := makers[name]
	mu.RUnlock()
	if f == nil {
		if len(name) > 64 {
			name = name[:64] + "..."
		}
		return nil, fmt.Errorf("loss: unknown loss %q; %s", name, didYouMean(name, Names()))
	}
	return f(), nil
}

// Name is the name under which the type of a loss, or the type that it points at, was registered first, "" when it was not.
func Name(l Loss) string {
	mu.RLock()
	defer mu.RUnlock()
	t := reflect.TypeOf(l)
	if n, ok := names[t]; ok || t == nil || t.Kind() != reflect.Pointer {
		return n
	}
	return names[t.Elem()]
}

// Marshal writes the configuration of a loss as JSON: {"huber": {"delta": 0.5}}, or its name alone when every setting has
// its default.
func Marshal(l Loss) ([]byte, error) {
	if l == nil {
		return nil, fmt.Errorf("loss: the loss is nil")
	}
	name := Name(l)
	if name == "" {
		return nil, fmt.Errorf("loss: the type %T is not registered; call loss.Register at the program's start", l)
	}
	body, err := json.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("loss: %s: %w", name, err)
	}
	if string(body) == "{}" {
		return json.Marshal(name)
	}
	return json.Marshal(map[string]json.RawMessage{name: body})
}

// Unmarshal makes a loss from what Marshal wrote. Unknown names, unknown keys and wrong types are errors.
func Unmarshal(b []byte) (Loss, error) {
	var name string
	if json.Unmarshal(b, &name) == nil {
		return Named(name)
	}
	var one map[string]json.RawMessage
	if err := json.Unmarshal(b, &one); err != nil || len(one) != 1 {
		return nil, fmt.Errorf(`loss: want "name" or {"name": {settings}}, found %d names (%v)`, len(one), err)
	}
	var body json.RawMessage
	for name, body = range one {
	}
	l, err := Named(name)
	if err != nil {
		return nil, err
	}
	t := reflect.TypeOf(l)
	p := reflect.New(t)
	p.Elem().Set(reflect.ValueOf(l))
	if err := checkKeys(body, t); err != nil {
		return nil, fmt.Errorf("loss: %s: %w", name, err)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(p.Interface()); err != nil {
		return nil, fmt.Errorf("loss: %s: %w", name, err)
	}
	return p.Elem().Interface().(Loss), nil
}

// checkKeys finds keys that a struct type does not have; encoding/json would take them in another case, or say less.
func checkKeys(body json.RawMessage, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var have map[string]json.RawMessage
	if err := json.Unmarshal(body, &have); err != nil || have == nil {
		return fmt.Errorf("want an object of settings, found %.40s", body)
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var known []string
	for i := range t.NumField() {
		k, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if k == "" {
			k = t.Field(i).Name
		}
		known = append(known, k)
	}
	for _, k := range slices.Sorted(maps.Keys(have)) {
		if !slices.Contains(known, k) {
			hint := "it has no settings"
			if len(known) > 0 {
				hint = didYouMean(k, known)
			}
			return fmt.Errorf("unknown key %q; %s", k, hint)
		}
	}
	return nil
}
