package world

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

const messageMax = 256 << 20

// Serve runs a provider as terraform-plugin-go does, with an interceptor that logs each call and bends
// replies. With LAB_REATTACH set it runs in debug mode (plaintext, started by hand) and writes its
// TF_REATTACH_PROVIDERS value into that file.
func Serve(protocol int, address string, provider plugin.Plugin) {
	config := &plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion:  uint(protocol),
			MagicCookieKey:   "TF_PLUGIN_MAGIC_COOKIE",
			MagicCookieValue: "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
		},
		VersionedPlugins: map[int]plugin.PluginSet{protocol: {"provider": provider}},
		Logger:           hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: os.Stderr, JSONFormat: true}),
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(options, grpc.MaxRecvMsgSize(messageMax), grpc.MaxSendMsgSize(messageMax),
				grpc.UnaryInterceptor(unary), grpc.StreamInterceptor(stream))...)
		},
	}
	if file := os.Getenv("LAB_REATTACH"); file != "" {
		attach := make(chan *plugin.ReattachConfig, 1)
		config.Test = &plugin.ServeTestConfig{Context: context.Background(), ReattachConfigCh: attach}
		go writeReattach(file, protocol, address, attach)
	}
	plugin.Serve(config)
}

func writeReattach(file string, protocol int, address string, attach chan *plugin.ReattachConfig) {
	at := <-attach
	raw, _ := json.Marshal(map[string]any{address: map[string]any{
		"Protocol": at.Protocol, "ProtocolVersion": protocol, "Pid": at.Pid, "Test": true,
		"Addr": map[string]string{"Network": at.Addr.Network(), "String": at.Addr.String()},
	}})
	os.WriteFile(file+".new", raw, 0o600)
	os.Rename(file+".new", file)
}

func unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	record("begin", info.FullMethod)
	defer record("end", info.FullMethod)
	bent := &bend{}
	reply, err := handler(context.WithValue(ctx, replyKey{}, bent), request)
	if err == nil && bent.fault != nil {
		replyFaults[bent.fault.Do](*bent.fault, reply.(proto.Message).ProtoReflect())
	}
	return reply, err
}

func stream(server any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	record("begin", info.FullMethod)
	return handler(server, ss)
}

var calls struct {
	sync.Once
	sync.Mutex
	file *os.File
}

// record adds a line to $LAB_STORE/calls.log, when a test has put that file there.
func record(what, method string) {
	calls.Do(func() {
		calls.file, _ = os.OpenFile(filepath.Join(os.Getenv("LAB_STORE"), "calls.log"), os.O_APPEND|os.O_WRONLY, 0)
	})
	if calls.file != nil {
		calls.Lock()
		defer calls.Unlock()
		fmt.Fprintf(calls.file, "%d %d %s %s\n", time.Now().UnixNano(), os.Getpid(), what, method)
	}
}
