package data

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
)

// packed reads a file that may be packed by gzip and counts what passes.
type packed struct {
	path string
	size int64 // of the file; -1: not known
	in   int64 // bytes that the file has given
	out  int64 // bytes that were unpacked
	r    io.Reader
	file *bufio.Reader
	gzip bool
	cut  error // what reading ended with, when that is no proper end
	fail error // of the reader below

	limit int64 // of out; 0: none
}

// open begins to read; path is for messages.
func open(r io.Reader, path string) (*packed, error) {
	p := &packed{path: path, size: sizeOf(r)}
	p.file = bufio.NewReaderSize(counter{r, p}, 1<<16)
	p.r = p.file
	if head, _ := p.file.Peek(2); len(head) == 2 && head[0] == 0x1f && head[1] == 0x8b {
		p.gzip = true
		z, err := gzip.NewReader(p.file)
		if err != nil {
			p.cut = err
			return nil, p.broken()
		}
		p.r = z
	}
	return p, nil
}

// counter counts what the reader below gives and keeps its error.
type counter struct {
	r io.Reader
	p *packed
}

func (c counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.p.in += int64(n)
	if err != nil && err != io.EOF {
		c.p.fail = err
	}
	return n, err
}

// sizeOf is the number of bytes that r will give; -1 when only reading tells.
func sizeOf(r io.Reader) int64 {
	switch r := r.(type) {
	case interface{ Len() int }:
		return int64(r.Len())
	case *os.File:
		if st, err := r.Stat(); err == nil && st.Mode().IsRegular() {
			if at, err := r.Seek(0, io.SeekCurrent); err == nil {
				return max(0, st.Size()-at)
			}
		}
	}
	return -1
}

// Read gives unpacked bytes.
func (p *packed) Read(b []byte) (int, error) {
	if p.limit > 0 && p.out > p.limit {
		p.cut = errLongRow
		return 0, p.cut
	}
	n, err := p.r.Read(b)
	p.out += int64(n)
	if err != nil && err != io.EOF {
		p.cut = err
	}
	return n, err
}

// broken says where and why the file cannot be read on; nil when nothing is wrong with it.
func (p *packed) broken() error {
	switch {
	case p.cut == nil:
		return nil
	case p.fail != nil:
		return p.named(p.fail)
	case p.cut == errLongRow:
		return &FormatError{Format: "CSV", Path: p.path, Err: p.cut, Why: p.cut.Error()}
	case errors.Is(p.cut, io.ErrUnexpectedEOF) || errors.Is(p.cut, io.EOF):
		return &FormatError{Format: "gzip", Path: p.path, Err: p.cut,
			Why: fmt.Sprintf("the file is cut off after byte %d (%d bytes were unpacked); copy or download it again", p.in, p.out)}
	case errors.Is(p.cut, gzip.ErrChecksum):
		return &FormatError{Format: "gzip", Path: p.path, Err: p.cut,
			Why: fmt.Sprintf("the checksum of the %d unpacked bytes is wrong: the file was altered", p.out)}
	}
	return &FormatError{Format: "gzip", Path: p.path, Err: p.cut,
		Why: fmt.Sprintf("damaged near byte %d: %v", p.in-int64(p.file.Buffered()), p.cut)}
}

func (p *packed) named(err error) error {
	if p.path == "" {
		return fmt.Errorf("data: %w", err)
	}
	return fmt.Errorf("data: %s: %w", p.path, err)
}

// most is a bound on the bytes that can still be unpacked; -1 when there is none. Deflate packs to no less than 1/1032.
func (p *packed) most() int64 {
	switch {
	case p.size < 0:
		return -1
	case p.gzip:
		return (p.size+1)*1032 - p.out
	}
	return p.size - p.out
}
