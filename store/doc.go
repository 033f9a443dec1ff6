// Package store keeps arrays and models on disk, so that what was saved is either whole or absent, and what is read is
// checked before anything trusts it.
//
// Files of named arrays:
//
//	ts, err := store.ReadSafetensors("model.safetensors") // *Tensors: names, arrays, metadata
//	w := ts.Get("Dense.Kernel")                           // nil when there is none
//	err = store.WriteSafetensors(f, []store.Tensor{{Name: "w", Array: w}}, map[string]string{"by": "me"})
//	ts, err = store.ReadNPZ("features.npz")               // NumPy's archives, plain or compressed
//
// Directories that hold together, such as a model:
//
//	err = store.WriteDir("model", func(w *store.DirWriter) error {
//		return w.WriteFile("config.json", config) // or Create for a stream
//	})
//	d, err := store.OpenDir("model") // every file's size and SHA-256 agree with manifest.json, or a *CorruptError
//	b, err := d.ReadFile("config.json")
//
// WriteDir writes beside the directory, syncs every file and folder, writes manifest.json last and then renames; a failure
// or a crash at any point leaves the old directory or the new one, whole. WriteFile does the same for one file. Readers
// never panic, and never allocate what a file merely claims to hold.
//
// Package store imports array alone.
package store
