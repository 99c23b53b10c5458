package main

import (
	"encoding/json"
	"math/big"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// toJSON is the inverse of tftypes.ValueFromJSON: exact numbers, unknown as null, dynamics wrapped
// with their type. tftypes has no such function.
func toJSON(v tftypes.Value) any { return encode(v, false) }

func encode(v tftypes.Value, dynamic bool) any {
	if dynamic {
		if v.IsNull() || !v.IsKnown() {
			return nil
		}
		return map[string]any{"value": encode(v, false), "type": typeJSON(v.Type())}
	}
	if !v.IsKnown() || v.IsNull() {
		return nil
	}
	switch t := v.Type().(type) {
	case tftypes.Object:
		return encodeMembers(v, func(name string) bool { return t.AttributeTypes[name].Is(tftypes.DynamicPseudoType) })
	case tftypes.Map:
		return encodeMembers(v, func(string) bool { return false })
	case tftypes.List, tftypes.Set, tftypes.Tuple:
		var elements []tftypes.Value
		must(v.As(&elements))
		out := []any{}
		for _, element := range elements {
			out = append(out, encode(element, false))
		}
		return out
	}
	switch {
	case v.Type().Is(tftypes.String):
		var s string
		must(v.As(&s))
		return s
	case v.Type().Is(tftypes.Bool):
		var b bool
		must(v.As(&b))
		return b
	default:
		n := new(big.Float)
		must(v.As(&n))
		return json.Number(n.Text('f', -1))
	}
}

func encodeMembers(v tftypes.Value, dynamic func(name string) bool) any {
	members := map[string]tftypes.Value{}
	must(v.As(&members))
	out := map[string]any{}
	for name, member := range members {
		out[name] = encode(member, dynamic(name))
	}
	return out
}

func typeJSON(t tftypes.Type) json.RawMessage {
	raw, err := t.MarshalJSON() //nolint:staticcheck // the wire form of a type, which nothing else gives
	must(err)
	return raw
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
