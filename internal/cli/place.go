package cli

import (
	"errors"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/kun-ml/kun/internal/config"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/optim"
	"github.com/kun-ml/kun/prep"
	"github.com/kun-ml/kun/tensor"
)

// locate turns a mistake in shapes into an error that points at the line of the configuration with the layer, the loss or
// the transform that it is about. Other errors stay as they are.
func (p *plan) locate(err error) error {
	if p == nil || err == nil {
		return err
	}
	if p.Train.Freeze != "" && strings.HasPrefix(err.Error(), "train: Freeze: ") {
		return p.doc.Find("train", "freeze").Errorf("", "%s", strings.TrimPrefix(err.Error(), "train: Freeze: "))
	}
	if m := ofTransform.FindStringSubmatch(err.Error()); m != nil {
		return p.doc.Find("prepare", m[1]).Errorf("", "%s", m[2])
	}
	var s *tensor.ShapeError
	if !errors.As(err, &s) {
		return err
	}
	n, what := p.part(s)
	if n == nil {
		return err
	}
	why := s.Why
	if s.Got != "" {
		why += "; got " + s.Got
	}
	text := strings.TrimPrefix(s.Op+": "+why, "Optimizer: optim.")
	return n.Errorf(asConfigured(s.Hint), "%s%s", what, asConfigured(text))
}

// ofTransform finds the transform, by its place in the list, that an error of package prep is about.
var ofTransform = regexp.MustCompile(`^prep: transform (\d+) (\(.*)$`)

// part finds the value that an error is about, and its place in words.
func (p *plan) part(s *tensor.ShapeError) (n *config.Node, what string) {
	if s.Op == "Optimizer" {
		return p.doc.Find("optimizer"), ""
	}
	if isOf(p.Loss, s.Op) {
		return p.doc.Find("loss"), ""
	}
	for i, t := range p.Prepare {
		if isOf(t, s.Op) {
			return p.doc.Find("prepare", strconv.Itoa(i)), ""
		}
	}
	for i, m := range p.Metrics {
		if isOf(m, s.Op) {
			return p.doc.Find("metrics", strconv.Itoa(i)), ""
		}
	}
	if s.Layer == "" {
		return nil, ""
	}
	return layerNode(p.doc.Get("model"), s.Layer), "layer " + s.Layer + ": "
}

// isOf reports whether op names the type of a value: errors of losses, metrics and transforms do.
func isOf(x any, op string) bool {
	if x == nil {
		return false
	}
	t := reflect.TypeOf(x)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name() == op
}

var goName = regexp.MustCompile(`\b[A-Z][A-Za-z0-9]+\b`)

// asConfigured puts the names that a configuration has in place of those of Go: dense for Dense, units for Units.
func asConfigured(text string) string {
	names := goNames()
	return goName.ReplaceAllStringFunc(text, func(word string) string {
		if n, ok := names[word]; ok {
			return n
		}
		return word
	})
}

// goNames maps the names of registered types and of their fields to those of configurations.
func goNames() map[string]string {
	out := map[string]string{}
	add := func(x any, name string) {
		t := reflect.TypeOf(x)
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		out[t.Name()] = name
		if t.Kind() == reflect.Struct {
			for i := range t.NumField() {
				if f := t.Field(i); f.IsExported() && !f.Anonymous {
					out[f.Name] = config.Key(f.Name)
				}
			}
		}
	}
	for n, f := range variants(nn.Layers.Names(), nn.Layers.Make) {
		add(f(), n)
	}
	for n, f := range variants(prep.Transforms.Names(), prep.Transforms.Make) {
		add(f(), n)
	}
	for n, f := range variants(optim.Optimizers.Names(), optim.Optimizers.Make) {
		add(f(), n)
	}
	for _, f := range variants(metric.Metrics.Names(), metric.Metrics.Make) {
		add(f(), metric.Metrics.NameOf(f()))
	}
	for _, f := range variants(loss.Names(), loss.Named) {
		add(f(), loss.Name(f()))
	}
	return out
}

// layerNode follows the path of a layer, such as "3" or "2.0" in a list within the list.
func layerNode(list *config.Node, path string) *config.Node {
	var found *config.Node
	for part := range strings.SplitSeq(path, ".") {
		i, err := strconv.Atoi(part)
		if err != nil || list == nil || list.Kind != config.List || i < 0 || i >= len(list.Items) {
			break
		}
		found = list.Items[i]
		list = nil
		if len(found.Entries) == 1 {
			list = found.Entries[0].Value
		}
	}
	return found
}
