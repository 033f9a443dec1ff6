package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// smallDisk is a disk with that many bytes of room; the test is skipped where none can be mounted.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("no disk can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestTrain_ADiskWithoutRoom(t *testing.T) {
	disk := smallDisk(t, "400k") // for one model of some 180 kB
	model := filepath.Join(disk, "m")
	before := object(t, "train", small(t), "--out", model)
	fill := filepath.Join(disk, "fill")
	if err := os.WriteFile(fill, make([]byte, 128<<10), 0o644); err != nil {
		t.Fatal(err)
	}
	refused(t, Resources, []string{"no space left", "the disk is full; what was saved before is still valid"}, "train", small(t), "--out", model, "--seed", "2")
	if after := object(t, "eval", model); after["weights_sha256"] != before["weights_sha256"] {
		t.Error("the earlier model is another one")
	}
}

func TestTrain_ACheckpointThatFindsNoRoomDoesNotEndTheRun(t *testing.T) {
	disk := smallDisk(t, "40k")
	model := filepath.Join(t.TempDir(), "m")
	_, log := must(t, "train", small(t, "metrics: [accuracy] => metrics: [accuracy]\ncallbacks: [{checkpoint: {dir: "+filepath.Join(disk, "c")+"}}]"), "--out", model)
	if !strings.Contains(log, "no space left") || !strings.Contains(log, "training goes on") || !strings.Contains(log, "Epoch 2/2") {
		t.Errorf("%s", log)
	}
	must(t, "eval", model)
	if left, err := os.ReadDir(disk); err != nil || len(left) > 0 {
		t.Errorf("half a checkpoint was left: %v %v", left, err)
	}
}
