package store

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

const (
	manifestName    = "manifest.json"
	manifestFormat  = "kun-directory"
	manifestVersion = 1
	manifestLimit   = 16 << 20 // largest manifest in bytes
)

// manifest lists what a directory holds.
type manifest struct {
	Format  string          `json:"format"`
	Version int             `json:"version"`
	Files   map[string]file `json:"files"`
}

// file is one file as it was written.
type file struct {
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
}

const (
	hintCopy    = "copy the whole directory again from its source, or use an earlier checkpoint"
	hintUpgrade = "use a newer kun to read it"
)

// readManifest reads and checks the manifest of dir.
func readManifest(dir string) (*manifest, error) {
	path := filepath.Join(dir, manifestName)
	s, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, &CorruptError{dir, "there is no " + manifestName, "it is not a directory that kun wrote, or the file was lost; " + hintCopy}
	case err != nil:
		return nil, fmt.Errorf("store: %w", err)
	case !s.Mode().IsRegular():
		return nil, &CorruptError{path, "it is not a file", hintCopy}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, manifestLimit+1))
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	m, err := parseManifest(b)
	if err != nil {
		return nil, &CorruptError{path, err.Error(), hintFor(err)}
	}
	return m, nil
}

// newerError is a manifest of a version that this package does not know.
type newerError int

func (e newerError) Error() string {
	return fmt.Sprintf("it has format version %d; this kun reads up to %d", int(e), manifestVersion)
}

func hintFor(err error) string {
	if _, ok := err.(newerError); ok {
		return hintUpgrade
	}
	return hintCopy
}

// parseManifest reads a manifest and checks it by itself.
func parseManifest(b []byte) (*manifest, error) {
	if len(b) > manifestLimit {
		return nil, fmt.Errorf("it is larger than %d bytes", manifestLimit)
	}
	var head struct {
		Format  string
		Version int
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, fmt.Errorf("it is not valid JSON (%v)", err)
	}
	if head.Format != manifestFormat {
		return nil, fmt.Errorf("its format is %q, not %q", head.Format, manifestFormat)
	}
	if head.Version > manifestVersion {
		return nil, newerError(head.Version)
	}
	if head.Version < 1 {
		return nil, fmt.Errorf("it has format version %d", head.Version)
	}
	m := new(manifest)
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(m); err != nil {
		return nil, fmt.Errorf("it breaks its format (%v)", err)
	}
	for name, f := range m.Files {
		if err := checkName(name); err != nil {
			return nil, err
		}
		if h, err := hex.DecodeString(f.SHA256); err != nil || len(h) != 32 || f.Size < 0 {
			return nil, fmt.Errorf("the size or SHA-256 of %q makes no sense", name)
		}
	}
	return m, nil
}

// checkName refuses names that are not plain file names on every system: nothing in a directory may point out of it.
func checkName(name string) error {
	bad := name == "" || len(name) > 200 || name == manifestName || name[0] == '.' || strings.HasSuffix(name, ".")
	for _, r := range name {
		ok := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-+=@", r)
		bad = bad || !ok
	}
	if bad {
		return fmt.Errorf("%q is not a name for a file here (letters, digits and ._-+=@, not beginning or ending with a dot)", name)
	}
	return nil
}

// litter are files that systems leave in folders by themselves; they are no part of what was saved.
func litter(name string) bool {
	return name == ".DS_Store" || name == "Thumbs.db" || name == "desktop.ini"
}
