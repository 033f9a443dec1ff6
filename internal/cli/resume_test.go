package cli

import (
	"path/filepath"
	"testing"
)

// TestTrain_ResumeEndsWhereTheWholeRunEnds: two epochs, then two more, are four epochs, bit for bit; callbacks in between.
func TestTrain_ResumeEndsWhereTheWholeRunEnds(t *testing.T) {
	path := small(t, "metrics: [accuracy] => metrics: [accuracy]\ncallbacks: [{early_stopping: {patience: 90}}, {reduce_lr_on_plateau: {patience: 1, min_delta: 0.9}}]")
	dir := t.TempDir()
	whole := object(t, "train", path, "--out", filepath.Join(dir, "whole"), "--epochs", "4")
	part := filepath.Join(dir, "part")
	must(t, "train", path, "--out", part, "--epochs", "2")
	got := object(t, "train", path, "--resume", part, "--out", part, "--epochs", "4")
	if got["weights_sha256"] != whole["weights_sha256"] || got["epochs"] != whole["epochs"] || got["loss"] != whole["loss"] {
		t.Errorf("resumed %v, whole %v", got, whole)
	}
	refused(t, Config, []string{"--resume: 4 epochs are done already, of 4", "or a larger --epochs"}, "train", path, "--resume", part, "--out", part, "--epochs", "4")
	refused(t, Config, []string{"has another optimizer", "--from begins a new training"}, "train", path, "--resume", part, "--out", part, "--epochs", "5",
		"--set", "optimizer.learning_rate=0.5")
	refused(t, Config, []string{"--resume: the Seed was"}, "train", path, "--resume", part, "--out", part, "--epochs", "5", "--seed", "77")
	refused(t, Usage, []string{"one of them"}, "train", path, "--resume", part, "--from", part)
	refused(t, Data, []string{"there is no model"}, "train", path, "--resume", filepath.Join(dir, "nowhere"))
}
