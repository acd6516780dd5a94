package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The file with the checksums of all others, as sha256sum writes and reads it, and its
// signature.
const (
	checksumsFile = "checksums.txt"
	signatureFile = "checksums.txt.sig"
)

// writeChecksums writes the checksums of a folder's files, and their signature; none
// without a key.
func writeChecksums(folder string, key signer) error {
	sums, err := checksums(folder)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, checksumsFile), sums, 0o644); err != nil {
		return fmt.Errorf("write the checksums: %w", err)
	}
	if key == nil {
		return nil
	}
	signed, err := sign(sums, key)
	if err != nil {
		return fmt.Errorf("sign the checksums: %w", err)
	}
	return os.WriteFile(filepath.Join(folder, signatureFile), []byte(signed+"\n"), 0o644)
}

// verifyFolder makes sure that the files of a folder are those that the owner of a key
// has signed, that none is missing, and that there is no other.
func verifyFolder(folder string, key verifier) error {
	sums, err := os.ReadFile(filepath.Join(folder, checksumsFile))
	if err != nil {
		return fmt.Errorf("read the checksums: %w", err)
	}
	signed, err := os.ReadFile(filepath.Join(folder, signatureFile))
	if err != nil {
		return fmt.Errorf("read the signature of the checksums: %w", err)
	}
	if err := verifySignature(sums, strings.TrimSpace(string(signed)), key); err != nil {
		return fmt.Errorf("%s is not signed by this key: %w", checksumsFile, err)
	}
	found, err := checksums(folder)
	if err != nil {
		return err
	}
	return compare(sums, found)
}

// compare names the files whose checksums are not what they should be.
func compare(want, found []byte) error {
	if bytes.Equal(want, found) {
		return nil
	}
	wanted := slices.Collect(strings.Lines(string(want)))
	have := slices.Collect(strings.Lines(string(found)))
	var wrong []error
	for _, line := range wanted {
		if !slices.Contains(have, line) {
			wrong = append(wrong, fmt.Errorf("%s is missing, or is not what was signed", fileOf(line)))
		}
	}
	for _, line := range have {
		isKnown := slices.ContainsFunc(wanted, func(w string) bool { return fileOf(w) == fileOf(line) })
		if !isKnown {
			wrong = append(wrong, fmt.Errorf("%s is not part of the release", fileOf(line)))
		}
	}
	return errors.Join(wrong...)
}

// fileOf returns the file of a line of checksums.
func fileOf(line string) string {
	_, file, _ := strings.Cut(strings.TrimSpace(line), "  ")
	return file
}

func checksums(folder string) ([]byte, error) {
	var sums bytes.Buffer
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		relative, err := filepath.Rel(folder, path)
		if err != nil || relative == checksumsFile || relative == signatureFile {
			return err
		}
		sum, err := checksum(path)
		fmt.Fprintf(&sums, "%s  %s\n", sum, filepath.ToSlash(relative))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("compute the checksums of the files in %s: %w", folder, err)
	}
	return sums.Bytes(), nil
}

func checksum(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
