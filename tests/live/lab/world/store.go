// Package world is what the lab providers share: the remote objects, the faults that tests switch on
// while a provider runs, the log of gRPC calls, and the plugin server around them.
package world

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Store keeps each remote object as DIR/TYPE/ID.json, so that a test can edit the world with any editor.
type Store struct{ Dir string }

// Open takes the folder from the provider's configuration, else from LAB_STORE.
func Open(dir string) (*Store, error) {
	if dir == "" {
		dir = os.Getenv("LAB_STORE")
	}
	if dir == "" {
		return nil, errors.New("no store: set the provider's \"store\" or LAB_STORE")
	}
	if text := refusal(); text != "" {
		return nil, errors.New(text)
	}
	return &Store{dir}, os.MkdirAll(dir, 0o755)
}

func (s *Store) path(kind, id string) string {
	return filepath.Join(s.Dir, kind, strings.ReplaceAll(id, "/", "_")+".json")
}

// Load returns the object's JSON, or nil when there is none.
func (s *Store) Load(kind, id string) ([]byte, error) {
	raw, err := os.ReadFile(s.path(kind, id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return raw, err
}

// Save writes the object; its id is its name, and its etag follows from what it holds, as clouds do.
func (s *Store) Save(kind string, object map[string]any) ([]byte, error) {
	id, _ := object["name"].(string)
	object["id"] = id
	delete(object, "etag")
	raw, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	sum := fnv.New64a()
	sum.Write(raw)
	object["etag"] = fmt.Sprintf("%016x", sum.Sum64())
	if raw, err = json.MarshalIndent(object, "", " "); err != nil {
		return nil, err
	}
	path := s.path(kind, id)
	if err = os.MkdirAll(filepath.Dir(path), 0o755); err == nil {
		if err = os.WriteFile(path+".new", raw, 0o644); err == nil {
			err = os.Rename(path+".new", path)
		}
	}
	return raw, err
}

// Names are those of all objects of a type, sorted.
func (s *Store) Names(kind string) (names []string, err error) {
	entries, err := os.ReadDir(filepath.Join(s.Dir, kind))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".json"))
	}
	return names, err
}

// Delete removes the object; one that is gone already is no error.
func (s *Store) Delete(kind, id string) error {
	err := os.Remove(s.path(kind, id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
