// note: what golang.org/x/mod's packages note and tlog say of plumb's checkpoints, trees and proofs.
package main

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func read(path string) string {
	text, err := os.ReadFile(path)
	must(err)
	return string(text)
}

type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = h[x]
	}
	return out, nil
}

// Lines without their ends, and all hashes of the tree over them.
func tree(path string) ([]string, hashes) {
	var lines []string
	var stored hashes
	scanner := bufio.NewScanner(strings.NewReader(read(path)))
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		more, err := tlog.StoredHashes(int64(len(lines)), scanner.Bytes(), stored)
		must(err)
		stored = append(stored, more...)
		lines = append(lines, scanner.Text())
	}
	must(scanner.Err())
	return lines, stored
}

// A signed checkpoint: its size and root.
func checkpoint(key, text string) (int64, tlog.Hash) {
	verifier, err := note.NewVerifier(key)
	must(err)
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	if lines[0] != verifier.Name() {
		must(fmt.Errorf("origin %q, key %q", lines[0], verifier.Name()))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	root, err := tlog.ParseHash(lines[2])
	must(err)
	return size, root
}

func checkTree(key, notePath, events string) {
	size, root := checkpoint(key, read(notePath))
	_, stored := tree(events)
	own, err := tlog.TreeHash(size, stored)
	must(err)
	if own != root {
		must(fmt.Errorf("the root is %v, the checkpoint says %v", own, root))
	}
	fmt.Printf("the same root, %d events\n", size)
}

func checkConsistency(key, first, second, events string) {
	m, old := checkpoint(key, read(first))
	n, root := checkpoint(key, read(second))
	_, stored := tree(events)
	proof, err := tlog.ProveTree(n, m, stored)
	must(err)
	must(tlog.CheckTree(proof, n, root, m, old))
	fmt.Printf("consistent, %d to %d events\n", m, n)
}

func checkProof(key, path, events string) {
	head, rest, found := strings.Cut(read(path), "\n\n")
	if !found {
		must(fmt.Errorf("no empty line"))
	}
	lines := strings.Split(head, "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		must(fmt.Errorf("first line %q", lines[0]))
	}
	event, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	must(err)
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	must(err)
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		must(err)
		proof = append(proof, hash)
	}
	size, root := checkpoint(key, rest)
	must(tlog.CheckRecord(proof, size, root, index, tlog.RecordHash(event)))
	all, stored := tree(events)
	if all[index] != string(event) {
		must(fmt.Errorf("event %d is another one", index))
	}
	own, err := tlog.ProveRecord(size, index, stored)
	must(err)
	if fmt.Sprint(own) != fmt.Sprint(proof) {
		must(fmt.Errorf("the proof is another one than ours"))
	}
	fmt.Printf("included, event %d of %d\n", index, size)
}

func sign(skey, events, count string) {
	signer, err := note.NewSigner(skey)
	must(err)
	size, err := strconv.ParseInt(count, 10, 64)
	must(err)
	_, stored := tree(events)
	root, err := tlog.TreeHash(size, stored)
	must(err)
	text := fmt.Sprintf("%s\n%d\n%v\n", signer.Name(), size, root)
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	must(err)
	fmt.Print(string(signed))
}

// A witness (C2SP tlog-witness): it cosigns a checkpoint that continues the last one it saw.
type witness struct {
	key  ed25519.PrivateKey
	name string
	log  string // the log's verifier key
	size int64
	root tlog.Hash
}

func (w *witness) id() []byte {
	text := append([]byte(w.name+"\n\x04"), w.key.Public().(ed25519.PublicKey)...)
	sum := sha256.Sum256(text)
	return sum[:4]
}

func (w *witness) add(answer http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	head, rest, found := strings.Cut(string(body), "\n\n")
	if err != nil || !found || request.Method != "POST" {
		http.Error(answer, "no body", http.StatusBadRequest)
		return
	}
	lines := strings.Split(head, "\n")
	old, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "old "), 10, 64)
	if err != nil {
		http.Error(answer, "no old size", http.StatusBadRequest)
		return
	}
	if old != w.size {
		answer.Header().Set("Content-Type", "text/x.tlog.size")
		answer.WriteHeader(http.StatusConflict)
		fmt.Fprintf(answer, "%d\n", w.size)
		return
	}
	size, root := checkpoint(w.log, rest)
	var proof tlog.TreeProof
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		must(err)
		proof = append(proof, hash)
	}
	if old > 0 {
		if err := tlog.CheckTree(proof, size, root, old, w.root); err != nil {
			http.Error(answer, err.Error(), http.StatusUnprocessableEntity)
			return
		}
	}
	w.size, w.root = size, root
	text := rest[:strings.LastIndex(rest, "\n\n")+1]
	now := time.Now().Unix()
	signature := binary.BigEndian.AppendUint64(w.id(), uint64(now))
	signature = append(signature, ed25519.Sign(w.key, []byte(fmt.Sprintf("cosignature/v1\ntime %d\n%s", now, text)))...)
	fmt.Fprintf(answer, "\u2014 %s %s\n", w.name, base64.StdEncoding.EncodeToString(signature))
}

func serve(log, name string) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	must(err)
	w := &witness{key: private, name: name, log: log}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	fmt.Printf("%s+%x+%s %s\n", name, w.id(), base64.StdEncoding.EncodeToString(append([]byte{4}, public...)), listener.Addr())
	http.HandleFunc("/prefix/add-checkpoint", w.add)
	must(http.Serve(listener, nil))
}

func main() {
	args := append(os.Args[1:], make([]string, 5)...)
	switch args[0] {
	case "key":
		skey, vkey, err := note.GenerateKey(rand.Reader, args[1])
		must(err)
		fmt.Println(skey, vkey)
	case "tree":
		checkTree(args[1], args[2], args[3])
	case "consistency":
		checkConsistency(args[1], args[2], args[3], args[4])
	case "proof":
		checkProof(args[1], args[2], args[3])
	case "sign":
		sign(args[1], args[2], args[3])
	case "witness":
		serve(args[1], args[2])
	default:
		must(fmt.Errorf("key, tree, consistency, proof, sign or witness"))
	}
}
