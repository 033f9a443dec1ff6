//go:build !purego

#include "textflag.h"

// func prefetch(p unsafe.Pointer, n int)
TEXT ·prefetch(SB), NOSPLIT, $0-16
	MOVD p+0(FP), R0
	MOVD n+8(FP), R1
loop:
	PRFM (R0), PLDL2KEEP
	ADD  $64, R0
	SUBS $64, R1
	BGT  loop
	RET
