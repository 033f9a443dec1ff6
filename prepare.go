package kun

import (
	"context"
	"reflect"

	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/prep"
)

// prepare fits the preparation to src, once. undo takes that back, for a Fit that does not come to its first step.
func (m *Model) prepare(ctx context.Context, src data.Source) (undo func(), err error) {
	if m.fitted {
		return func() {}, nil
	}
	before, fitted := copies(m.Prepare), copies(m.Prepare)
	if err := fitted.Fit(ctx, src); err != nil {
		return nil, err
	}
	m.assign(fitted)
	return func() { m.assign(before) }, nil
}

// assign gives the transforms of the model the settings and numbers of others, of the same types.
func (m *Model) assign(from prep.Pipeline) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, t := range m.Prepare {
		if v := reflect.ValueOf(t); v.Kind() == reflect.Pointer && !v.IsNil() {
			v.Elem().Set(reflect.ValueOf(from[i]).Elem())
		}
	}
}

// copies are copies of the transforms that are held by pointer; one that stands in two places remains one.
func copies(p prep.Pipeline) prep.Pipeline {
	out, made := make(prep.Pipeline, len(p)), map[prep.Transform]prep.Transform{}
	for i, t := range p {
		out[i] = t
		v := reflect.ValueOf(t)
		if v.Kind() != reflect.Pointer || v.IsNil() {
			continue
		}
		if made[t] == nil {
			c := reflect.New(v.Type().Elem())
			c.Elem().Set(v.Elem())
			made[t] = c.Interface().(prep.Transform)
		}
		out[i] = made[t]
	}
	return out
}
