package world

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"path"
	"path/filepath"
	"sync"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Fault is one entry of the list in LAB_FAULTS (default $LAB_STORE/faults.json), read anew at every call.
type Fault struct {
	Match string // glob on TYPE.NAME of the object being read, or "configure", "schema"
	Do    string // a key of readFaults or replyFaults; "refuse" for configure; "huge" for schema
	N     int    // milliseconds, tries, percent, bytes or attributes, as the fault needs
	Text  string // the words of a diagnostic
}

// Outcome is what a read must say besides, or instead of, the object.
type Outcome struct{ Warning, Error string }

func faultFile() string {
	if file := os.Getenv("LAB_FAULTS"); file != "" {
		return file
	}
	return filepath.Join(os.Getenv("LAB_STORE"), "faults.json")
}

func faults(name string) (found []Fault) {
	raw, err := os.ReadFile(faultFile())
	if err != nil {
		return nil
	}
	var all []Fault
	if err := json.Unmarshal(raw, &all); err != nil {
		panic(fmt.Sprintf("faults.json: %v", err))
	}
	for _, f := range all {
		if ok, _ := path.Match(f.Match, name); ok {
			found = append(found, f)
		}
	}
	return found
}

func refusal() string {
	for _, f := range faults("configure") {
		if f.Do == "refuse" {
			return f.Text
		}
	}
	return ""
}

// HugeSchema is the number of attributes that a test wants in the schema besides the real ones.
func HugeSchema() int {
	for _, f := range faults("schema") {
		if f.Do == "huge" {
			return f.N
		}
	}
	return 0
}

var tries = struct {
	sync.Mutex
	of map[string]int
}{of: map[string]int{}}

func throttled(name string, f Fault) bool {
	if f.Do == "throttle_percent" {
		return rand.Intn(100) < f.N
	}
	tries.Lock()
	defer tries.Unlock()
	tries.of[name]++
	return tries.of[name] <= f.N
}

func flood(out *os.File, size int) {
	line := append(bytes.Repeat([]byte("x"), 127), '\n')
	for written := 0; written < size; written += len(line) {
		out.Write(line)
	}
}

// readFaults happen inside the provider's own Read.
var readFaults = map[string]func(name string, f Fault, out *Outcome){
	"latency": func(_ string, f Fault, _ *Outcome) { time.Sleep(time.Duration(f.N) * time.Millisecond) },
	"panic":   func(name string, _ Fault, _ *Outcome) { panic("lab: asked to panic at " + name) },
	"exit":    func(string, Fault, *Outcome) { os.Exit(3) },
	"hang":    func(string, Fault, *Outcome) { select {} },
	"stdout":  func(_ string, f Fault, _ *Outcome) { flood(os.Stdout, f.N) },
	"stderr":  func(_ string, f Fault, _ *Outcome) { flood(os.Stderr, f.N) },
	"deny":    func(_ string, f Fault, out *Outcome) { out.Error = f.Text },
	"warn":    func(_ string, f Fault, out *Outcome) { out.Warning = f.Text },
	"throttle": func(name string, f Fault, out *Outcome) {
		if throttled(name, f) {
			out.Error = "Throttling: Rate exceeded"
		}
	},
	"throttle_percent": func(name string, f Fault, out *Outcome) {
		if throttled(name, f) {
			out.Error = "Throttling: Rate exceeded"
		}
	},
}

// replyFaults bend the encoded answer on its way out, below what an SDK would let through.
var replyFaults = map[string]func(f Fault, reply protoreflect.Message){
	"garbage":   func(_ Fault, reply protoreflect.Message) { setNewState(reply, []byte{0xc1, 0xff, 0x00, 0xde}) },
	"truncated": func(_ Fault, reply protoreflect.Message) { setNewState(reply, truncate(newState(reply))) },
	"wrongtype": func(_ Fault, reply protoreflect.Message) { setNewState(reply, []byte{0x93, 0x01, 0xa1, 'x', 0xc3}) },
	"otherobject": func(_ Fault, reply protoreflect.Message) {
		setNewState(reply, append([]byte{0x81, 0xa5}, "owner\xa3bob"...))
	},
	"unknown": func(_ Fault, reply protoreflect.Message) { setNewState(reply, []byte{0xd4, 0x00, 0x00}) },
	"empty":   func(_ Fault, reply protoreflect.Message) { reply.Clear(field(reply, "new_state")) },
	"giant":   func(f Fault, reply protoreflect.Message) { setNewState(reply, make([]byte, f.N)) },
	"deferred": func(f Fault, reply protoreflect.Message) {
		deferred := reply.Mutable(field(reply, "deferred")).Message()
		deferred.Set(field(deferred, "reason"), protoreflect.ValueOfEnum(protoreflect.EnumNumber(f.N)))
	},
}

func field(m protoreflect.Message, name protoreflect.Name) protoreflect.FieldDescriptor {
	return m.Descriptor().Fields().ByName(name)
}

func newState(reply protoreflect.Message) []byte {
	state := reply.Get(field(reply, "new_state")).Message()
	return state.Get(field(state, "msgpack")).Bytes()
}

func setNewState(reply protoreflect.Message, msgpack []byte) {
	state := reply.Mutable(field(reply, "new_state")).Message()
	state.Set(field(state, "msgpack"), protoreflect.ValueOfBytes(msgpack))
}

func truncate(raw []byte) []byte { return raw[:len(raw)/2] }

type replyKey struct{}

// bend is what a read leaves behind for the interceptor that sends its reply.
type bend struct{ fault *Fault }

// Meet lets the faults set for this object happen, and returns what the read should say.
func Meet(ctx context.Context, kind, id string) (out Outcome) {
	name := kind + "." + id
	for _, f := range faults(name) {
		if act := readFaults[f.Do]; act != nil {
			act(name, f, &out)
		} else if replyFaults[f.Do] != nil {
			if b, ok := ctx.Value(replyKey{}).(*bend); ok {
				b.fault = &f
			}
		} else {
			panic("faults.json: no fault " + f.Do)
		}
	}
	return out
}
