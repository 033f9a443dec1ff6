package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kun-ml/kun/array"
)

// generation writes the directory of generation n: a small file, one that takes several writes, and an array.
func generation(n byte) func(*DirWriter) error {
	return func(w *DirWriter) error {
		if err := w.WriteFile("config.json", []byte{n}); err != nil {
			return err
		}
		big, err := w.Create("big.bin")
		if err != nil {
			return err
		}
		for range 5 {
			if _, err := big.Write(bytes.Repeat([]byte{n}, 40<<10)); err != nil {
				return err
			}
		}
		if err := big.Close(); err != nil {
			return err
		}
		f, err := w.Create("model.safetensors")
		if err != nil {
			return err
		}
		if err := WriteSafetensors(f, []Tensor{{"w", array.Scalar(n)}}, nil); err != nil {
			return err
		}
		return f.Close()
	}
}

// readGeneration opens dir and demands that all its files are of one generation.
func readGeneration(dir string) (byte, error) {
	d, err := OpenDir(dir)
	if err != nil {
		return 0, err
	}
	small, err := d.ReadFile("config.json")
	if err != nil {
		return 0, err
	}
	big, err := d.ReadFile("big.bin")
	if err != nil {
		return 0, err
	}
	ts, err := d.ReadSafetensors("model.safetensors")
	if err != nil {
		return 0, err
	}
	n := small[0]
	if w := array.Data[uint8](ts.Get("w"))[0]; w != n || !bytes.Equal(big, bytes.Repeat(small, 200<<10)) {
		return 0, fmt.Errorf("generations are mixed: %d, %d and %d", n, big[0], w)
	}
	return n, nil
}

func mustWrite(t *testing.T, dir string, n byte) {
	t.Helper()
	if err := writeDir(calm{}, dir, generation(n)); err != nil {
		t.Fatal(err)
	}
}

func mustHold(t *testing.T, dir string, want byte) {
	t.Helper()
	if got, err := readGeneration(dir); err != nil || got != want {
		t.Fatalf("generation %d, %v; want %d", got, err, want)
	}
}

// entries lists the names in a folder.
func entriesOf(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

func TestWriteDir_RoundTripAndReplace(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "runs", "first", "model")
	for n := range byte(3) {
		if err := WriteDir(dir, generation(n)); err != nil {
			t.Fatal(err)
		}
		mustHold(t, dir, n)
	}
	d, err := OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(d.Names()); got != "[big.bin config.json model.safetensors]" {
		t.Errorf("files %s", got)
	}
	if !d.Has("big.bin") || d.Has("manifest.json") || d.Has("none") {
		t.Error("Has is wrong")
	}
	if _, err := d.Open("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if _, err := d.Open("../model/big.bin"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a path out of the directory: %v", err)
	}
	if names := entriesOf(t, filepath.Dir(dir)); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
}

func TestOpenDir_NotThere(t *testing.T) {
	if _, err := OpenDir(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if _, err := OpenDir(""); err == nil {
		t.Error("the empty path was opened")
	}
}

func TestWriteDir_FollowsALink(t *testing.T) {
	top := t.TempDir()
	real, link := filepath.Join(top, "real"), filepath.Join(top, "link")
	mustWrite(t, real, 1)
	if err := os.Symlink(real, link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	mustWrite(t, link, 2)
	mustHold(t, real, 2)
	if s, err := os.Lstat(link); err != nil || s.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v %v", s, err)
	}
}

func TestOpenDir_FindsEveryDamage(t *testing.T) {
	replace := func(name string, f func([]byte) []byte) func(string) error {
		return func(dir string) error {
			path := filepath.Join(dir, name)
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, f(b), 0o644)
		}
	}
	text := func(old, new string) func(string) error {
		return replace(manifestName, func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(new), 1) })
	}
	for _, c := range []struct {
		name, path, why string
		damage          func(dir string) error
	}{
		{"missing", "config.json", "missing", func(d string) error { return os.Remove(filepath.Join(d, "config.json")) }},
		{"emptied", "config.json", "truncated: 0 of 1 bytes", replace("config.json", func([]byte) []byte { return nil })},
		{"truncated", "big.bin", "truncated: 204799 of 204800", replace("big.bin", func(b []byte) []byte { return b[1:] })},
		{"longer", "big.bin", "204801 bytes", replace("big.bin", func(b []byte) []byte { return append(b, 0) })},
		{"one bit", "big.bin", "altered: its SHA-256", replace("big.bin", func(b []byte) []byte { b[100000] ^= 1; return b })},
		{"another model's", "config.json", "altered", replace("config.json", func([]byte) []byte { return []byte{99} })},
		{"extra", "notes.txt", "does not list", func(d string) error { return os.WriteFile(filepath.Join(d, "notes.txt"), nil, 0o644) }},
		{"extra folder", "sub", "does not list", func(d string) error { return os.Mkdir(filepath.Join(d, "sub"), 0o755) }},
		{"link", "big.bin", "link", func(d string) error {
			path := filepath.Join(d, "big.bin")
			if err := os.Rename(path, d+".big"); err != nil {
				return err
			}
			return os.Symlink(d+".big", path)
		}},
		{"folder in its place", "config.json", "folder", func(d string) error {
			path := filepath.Join(d, "config.json")
			return errors.Join(os.Remove(path), os.Mkdir(path, 0o755))
		}},
		{"no manifest", "", "no manifest.json", func(d string) error { return os.Remove(filepath.Join(d, manifestName)) }},
		{"manifest a link", manifestName, "not a file", func(d string) error {
			path := filepath.Join(d, manifestName)
			if err := os.Rename(path, d+".m"); err != nil {
				return err
			}
			return os.Symlink(d+".m", path)
		}},
		{"manifest emptied", manifestName, "JSON", replace(manifestName, func([]byte) []byte { return nil })},
		{"manifest truncated", manifestName, "JSON", replace(manifestName, func(b []byte) []byte { return b[:len(b)/2] })},
		{"manifest of another program", manifestName, "format", text("kun-directory", "bun-directory")},
		{"manifest of the future", manifestName, "version 7", text(`"version": 1`, `"version": 7`)},
		{"manifest of the past", manifestName, "version 0", text(`"version": 1`, `"version": 0`)},
		{"manifest with more", manifestName, "unknown", text(`"version"`, `"x": 1, "version"`)},
		{"manifest with a short hash", manifestName, "SHA-256", text(`"sha256": "`, `"sha256": "", "sha256": "00`)},
		{"manifest with a negative size", manifestName, "size", text(`"size": `, `"size": -`)},
		{"manifest pointing out", manifestName, "not a name", text("big.bin", "../big.bin")},
		{"manifest with an absolute path", manifestName, "not a name", text("big.bin", "/etc/hostname")},
		{"manifest with a hidden file", manifestName, "not a name", text("big.bin", ".big.bin")},
		{"manifest listing itself", manifestName, "not a name", text("big.bin", "manifest.json")},
		{"manifest without a file", "big.bin", "does not list", replace(manifestName, func(b []byte) []byte {
			var m manifest
			json.Unmarshal(b, &m)
			delete(m.Files, "big.bin")
			b, _ = json.Marshal(m)
			return b
		})},
	} {
		dir := filepath.Join(t.TempDir(), "model")
		mustWrite(t, dir, 1)
		if err := c.damage(dir); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		_, err := OpenDir(dir)
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) || !strings.Contains(corrupt.Why, c.why) || corrupt.Path != filepath.Join(dir, c.path) || corrupt.Hint == "" {
			t.Errorf("%s: %v, want a CorruptError at %q with %q", c.name, err, c.path, c.why)
		}
	}
}

func TestOpenDir_FindsExchangedFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "model")
	err := WriteDir(dir, func(w *DirWriter) error {
		return errors.Join(w.WriteFile("a", []byte("first")), w.WriteFile("b", []byte("other")))
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range [][2]string{{"a", "c"}, {"b", "a"}, {"c", "b"}} {
		if err := os.Rename(filepath.Join(dir, r[0]), filepath.Join(dir, r[1])); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := OpenDir(dir); err == nil || !strings.Contains(err.Error(), "exchanged: it holds what b should hold") {
		t.Errorf("%v", err)
	}
}

func TestOpenDir_IgnoresWhatSystemsLeave(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "model")
	mustWrite(t, dir, 1)
	if err := os.WriteFile(filepath.Join(dir, ".DS_Store"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	mustHold(t, dir, 1)
	mustWrite(t, dir, 2)
	mustHold(t, dir, 2)
}

func TestDir_NoticesAReplacementAfterOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "model")
	mustWrite(t, dir, 1)
	d, err := OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	mustWrite(t, dir, 2)
	var corrupt *CorruptError
	if _, err := d.ReadFile("config.json"); !errors.As(err, &corrupt) || !strings.Contains(err.Error(), "replaced") {
		t.Errorf("%v", err)
	}
}

func TestWriteDir_NeverTakesFilesOfOthers(t *testing.T) {
	top := t.TempDir()
	write := func(path string) string {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("mine"), 0o644)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := write(filepath.Join(top, "file"))
	photos := write(filepath.Join(top, "photos", "cat.jpg"))
	mustWrite(t, filepath.Join(top, "model"), 1)
	notes := write(filepath.Join(top, "model", "notes.txt"))
	alien := write(filepath.Join(top, "alien", manifestName))
	for dir, keep := range map[string]string{"file": file, "photos": photos, "model": notes, "alien": alien} {
		dir = filepath.Join(top, dir)
		called := false
		err := WriteDir(dir, func(*DirWriter) error { called = true; return nil })
		if err == nil || called {
			t.Errorf("%s: replaced (%v), called %v", dir, err, called)
		}
		if check := CheckTarget(dir); check == nil || err == nil || check.Error() != err.Error() {
			t.Errorf("%s: CheckTarget says %v, WriteDir %v", dir, check, err)
		}
		if b, err := os.ReadFile(keep); err != nil || string(b) != "mine" {
			t.Errorf("%s: lost: %v", keep, err)
		}
	}
	empty := filepath.Join(top, "empty")
	if err := os.Mkdir(empty, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := CheckTarget(empty); err != nil {
		t.Error(err)
	}
	mustWrite(t, empty, 1)
	t.Chdir(t.TempDir())
	if err := CheckTarget("."); err == nil || !strings.Contains(err.Error(), "current folder") {
		t.Errorf("the current folder: %v", err)
	}
}

func TestWriteDir_ErrorsLeaveTheOldOne(t *testing.T) {
	mine := errors.New("mine")
	for name, f := range map[string]func(w *DirWriter) error{
		"own error": func(w *DirWriter) error { generation(2)(w); return mine },
		"left open": func(w *DirWriter) error { _, err := w.Create("a"); return err },
		"twice": func(w *DirWriter) error {
			w.WriteFile("a", nil)
			w.WriteFile("a", nil)
			return nil
		},
		"twice by case": func(w *DirWriter) error {
			w.WriteFile("a", nil)
			w.WriteFile("A", nil)
			return nil
		},
		"path":     func(w *DirWriter) error { w.WriteFile("../a", nil); return nil },
		"folder":   func(w *DirWriter) error { w.WriteFile("a/b", nil); return nil },
		"hidden":   func(w *DirWriter) error { w.WriteFile(".a", nil); return nil },
		"empty":    func(w *DirWriter) error { w.WriteFile("", nil); return nil },
		"stream":   func(w *DirWriter) error { w.WriteFile("a:b", nil); return nil },
		"manifest": func(w *DirWriter) error { w.WriteFile("manifest.json", nil); return nil },
	} {
		top := t.TempDir()
		dir := filepath.Join(top, "model")
		mustWrite(t, dir, 1)
		err := WriteDir(dir, f)
		if err == nil || (name == "own error") != errors.Is(err, mine) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", name, err)
		}
		mustHold(t, dir, 1)
		if names := entriesOf(t, top); len(names) != 1 {
			t.Errorf("%s: left behind: %v", name, names)
		}
	}
}

func TestWriteDir_PanicLeavesTheOldOne(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "model")
	mustWrite(t, dir, 1)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		WriteDir(dir, func(w *DirWriter) error { generation(2)(w); panic("mine") })
	}()
	mustHold(t, dir, 1)
	if names := entriesOf(t, top); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
}

// TestWriteDir_SurvivesEveryFault makes each step fail in turn, and then cuts the power at each, with and without the loss of
// what was not synced. Afterwards the directory is the old one or the new one, and the next write succeeds.
func TestWriteDir_SurvivesEveryFault(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		lose int
	}{{"full", syscall.ENOSPC, 0}, {"read-only", syscall.EROFS, 0}, {"crash", nil, 0}, {"crash, one rename lost", nil, 1}, {"crash, all lost", nil, 99}} {
		for _, had := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/had=%v", c.name, had), func(t *testing.T) {
				seen := map[byte]int{}
				for at := 1; ; at++ {
					d := &faultDisk{t: t, at: at, err: c.err, lose: c.lose}
					n := oneFault(t, d, had)
					if seen[n]++; len(d.steps) < at {
						break
					}
				}
				if seen[2] == 0 || seen[1]+seen[0] < 10 {
					t.Errorf("generations found: %v", seen)
				}
			})
		}
	}
}

// oneFault writes generation 2 on a disk with a fault and gives the generation found afterwards, 0 for none.
func oneFault(t *testing.T, d *faultDisk, had bool) byte {
	top := t.TempDir()
	dir := filepath.Join(top, "model")
	if had {
		mustWrite(t, dir, 1)
	}
	err, cut := until(func() error { return writeDir(d, dir, generation(2)) })
	step := d.steps[len(d.steps)-1]
	if d.err == nil && !cut && len(d.steps) >= d.at {
		t.Fatalf("%s: the power did not go", step)
	}
	if err != nil && !errors.Is(err, d.err) {
		t.Fatalf("%s: %v does not say %v", step, err, d.err)
	}
	if !cut && !had && err != nil && len(entriesOf(t, top)) > 1 {
		t.Errorf("%s: left behind: %v", step, entriesOf(t, top))
	}
	if !cut && had && !exists(dir) {
		t.Errorf("%s: %v, and nothing is in the directory's place", step, err)
	}
	if !cut && err == nil { // what was reported as written stays when the power goes
		d.cut()
	}
	n, rerr := readGeneration(dir)
	switch {
	case rerr != nil && (had || !errors.Is(rerr, fs.ErrNotExist)):
		t.Fatalf("at %d, %s: %v", d.at, step, rerr)
	case !cut && err == nil && n != 2:
		t.Fatalf("at %d, %s: no error, but generation %d", d.at, step, n)
	}
	mustWrite(t, dir, 3)
	mustHold(t, dir, 3)
	sweep(osDisk{}, dir, 0)
	if names := entriesOf(t, top); len(names) != 1 {
		t.Fatalf("at %d, %s: never removed: %v", d.at, step, names)
	}
	return n
}

func TestOpenDir_DeletedIsDeleted(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "model")
	mustWrite(t, dir, 1)
	if err := os.Rename(dir, sibling(dir, "old", newID())); err != nil { // a crash before the old one was removed; then dir was deleted
		t.Fatal(err)
	}
	if _, err := OpenDir(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a deleted directory came back: %v", err)
	}
}

func TestSweep_LeavesLiveWritesAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "model")
	err := WriteDir(dir, func(w *DirWriter) error {
		if err := generation(1)(w); err != nil {
			return err
		}
		return WriteDir(dir, generation(2)) // another writer comes and goes
	})
	if err != nil {
		t.Fatal(err)
	}
	mustHold(t, dir, 1)
	dead := sibling(dir, "new", newID())
	old := time.Now().Add(-2 * staleAfter)
	if err := errors.Join(os.Mkdir(dead, 0o755), os.Chtimes(dead, old, old)); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, dir, 3)
	if exists(dead) {
		t.Error("what a crash left two hours ago is still there")
	}
}

func TestOpenDir_WhileItIsReplaced(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "model")
	mustWrite(t, dir, 0)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				var corrupt *CorruptError
				if _, err := readGeneration(dir); err != nil && !(errors.As(err, &corrupt) && strings.Contains(err.Error(), "replaced")) {
					t.Error(err)
					return
				}
			}
		})
	}
	for n := range byte(40) {
		mustWrite(t, dir, n)
	}
	close(stop)
	wg.Wait()
	mustHold(t, dir, 39)
}

func TestWriteFile_WholeOrNot(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		lose int
	}{{"full", syscall.ENOSPC, 0}, {"crash", nil, 0}, {"crash, all lost", nil, 99}} {
		for at := 1; ; at++ {
			top := t.TempDir()
			path := filepath.Join(top, "file")
			if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
				t.Fatal(err)
			}
			d := &faultDisk{t: t, at: at, err: c.err, lose: c.lose}
			err, cut := until(func() error {
				return writeFile(d, path, func(w io.Writer) error {
					for range 100 {
						if _, err := w.Write(bytes.Repeat([]byte("new"), 1000)); err != nil {
							return err
						}
					}
					return nil
				})
			})
			if !cut && err == nil {
				d.cut()
			}
			b, rerr := os.ReadFile(path)
			if rerr != nil || len(b) != 3 && len(b) != 300000 || err == nil && !cut && len(b) == 3 {
				t.Fatalf("%s at %d (%s): %d bytes, %v, %v", c.name, at, d.steps[len(d.steps)-1], len(b), err, rerr)
			}
			if !cut && len(entriesOf(t, top)) != 1 {
				t.Errorf("%s at %d: left behind: %v", c.name, at, entriesOf(t, top))
			}
			if len(d.steps) < at {
				break
			}
		}
	}
}

func TestWriteFile_Refuses(t *testing.T) {
	dir := t.TempDir()
	mine := errors.New("mine")
	if err := WriteFile(filepath.Join(dir, "a"), func(io.Writer) error { return mine }); !errors.Is(err, mine) {
		t.Errorf("%v", err)
	}
	for _, path := range []string{"", dir, filepath.Join(dir, "none", "a")} {
		if err := WriteFile(path, func(io.Writer) error { return nil }); err == nil {
			t.Errorf("%q was written", path)
		}
	}
	if names := entriesOf(t, dir); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
}

// FuzzParseManifest demands an error or a manifest whose names stay inside the directory.
func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(`{"format":"kun-directory","version":1,"files":{"a":{"size":1,"sha256":"` + strings.Repeat("0", 64) + `"}}}`))
	f.Add([]byte(`{"format":"kun-directory","version":1,"files":{"../a":{"size":1,"sha256":""}}}`))
	f.Add([]byte(`{"format":"kun-directory","version":9}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseManifest(b)
		if err != nil {
			return
		}
		for name := range m.Files {
			if !filepath.IsLocal(name) || filepath.Base(name) != name || name[0] == '.' {
				t.Errorf("the name %q was accepted", name)
			}
		}
	})
}

// syncs notes the folders that are synced.
type syncs struct {
	osDisk
	seen map[string]bool
}

func (d syncs) SyncDir(path string) error {
	d.seen[path] = true
	return d.osDisk.SyncDir(path)
}

// TestWriteDir_SyncsTheParentsThatItMakes: without that, a loss of power could take away what was saved with its folder.
func TestWriteDir_SyncsTheParentsThatItMakes(t *testing.T) {
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := syncs{seen: map[string]bool{}}
	if err := writeDir(d, filepath.Join(top, "a", "b", "m"), func(w *DirWriter) error { return w.WriteFile("f", nil) }); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{top, filepath.Join(top, "a"), filepath.Join(top, "a", "b")} {
		if !d.seen[p] {
			t.Errorf("%s was not synced", p)
		}
	}
	if d.seen[filepath.Dir(top)] {
		t.Error("a folder was synced that nothing changed in")
	}
}
