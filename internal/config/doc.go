// Package config reads a YAML file strictly into Go structs and says exactly where a mistake stands.
//
//	dec := config.NewDecoder()
//	config.Variants(dec, "layer", config.Registry[nn.Layer]{
//		"dense":   func() nn.Layer { return &nn.Dense{} },
//		"flatten": func() nn.Layer { return &nn.Flatten{} },
//	})
//	doc, err := config.ReadFile("config.yaml")
//	err = doc.Set("optimizer.adam.learning_rate=3e-4") // what --set does
//	var c struct{ Model []nn.Layer }
//	origins, err := dec.Decode(doc, &c)
//	err = dec.Print(os.Stdout, &c, origins) // what --print-config shows
//
// A key is the Go field's name in snake case (NoBias: no_bias) or the name in its json tag. A value of an interface
// type is a named variant: "flatten" alone or "dense: {units: 128}". Numbers may be fractions (1/255). An unknown or
// doubled key, a wrong type, a missing or out-of-range value, a tab in the indentation: each is an Error that carries
// the line, its text, the place in it and, where one is near, the name that was probably meant.
//
// Precedence, setting by setting: flag, environment (KUN_OPTIMIZER__ADAM__LEARNING_RATE), file, default. The caller applies
// SetEnv before Set. Anchors, aliases, tags and
// several documents in one file are refused: a configuration says plainly what it says. Size and depth are bounded
// before the YAML parser sees the text.
//
// Package config imports its own width only, and the YAML parser.
package config
