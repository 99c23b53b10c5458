package main

import (
	"fmt"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"plumb.test/lab/world"
)

// kind is a resource type: everything but its schema is the same code (object.go).
type kind struct {
	name     string
	schema   schema.Schema
	echo     []string          // attributes that a read copies from the prior state
	rename   map[string]string // name in the store -> name in this schema
	identity bool
	private  bool // writes private state, and refuses to read without it
}

type attrs = map[string]schema.Attribute

var replace = []planmodifier.String{stringplanmodifier.RequiresReplace()}

// with adds the attributes that every kind has.
func with(own attrs) attrs {
	own["id"] = schema.StringAttribute{Computed: true}
	own["etag"] = schema.StringAttribute{Computed: true}
	own["name"] = schema.StringAttribute{Required: true, PlanModifiers: replace}
	return own
}

func kinds() []kind {
	text := schema.StringAttribute{Optional: true}
	number := schema.NumberAttribute{Optional: true}
	rule := attrs{
		"port":  schema.Int64Attribute{Required: true},
		"cidrs": schema.SetAttribute{Optional: true, ElementType: types.StringType},
	}
	thing := schema.Schema{
		Attributes: with(attrs{
			"text":     text,
			"number":   number,
			"enabled":  schema.BoolAttribute{Optional: true},
			"tier":     schema.StringAttribute{Optional: true, Computed: true},
			"tags":     schema.MapAttribute{Optional: true, ElementType: types.StringType},
			"ports":    schema.ListAttribute{Optional: true, ElementType: types.NumberType},
			"zones":    schema.SetAttribute{Optional: true, ElementType: types.StringType},
			"rules":    schema.SetNestedAttribute{Optional: true, NestedObject: schema.NestedAttributeObject{Attributes: rule}},
			"settings": schema.SingleNestedAttribute{Optional: true, Attributes: attrs{"mode": text, "level": number}},
			"sizes":    schema.MapNestedAttribute{Optional: true, NestedObject: schema.NestedAttributeObject{Attributes: attrs{"gb": number}}},
			"any":      schema.DynamicAttribute{Optional: true},
			"secret":   schema.StringAttribute{Optional: true, Sensitive: true},
			"pass":     schema.StringAttribute{Optional: true, WriteOnly: true},
			"object": schema.ObjectAttribute{Optional: true, AttributeTypes: map[string]attr.Type{
				"a": types.NumberType, "b": types.StringType}},
		}),
		Blocks: map[string]schema.Block{
			"step":  schema.ListNestedBlock{NestedObject: schema.NestedBlockObject{Attributes: attrs{"run": text, "wait": number}}},
			"grant": schema.SetNestedBlock{NestedObject: schema.NestedBlockObject{Attributes: attrs{"who": text, "what": text}}},
		},
	}
	peer := schema.NestedBlockObject{Attributes: attrs{"cidr": text, "note": text}}
	log := schema.SingleNestedBlock{Attributes: attrs{"mode": text, "level": number}}
	deep := schema.Schema{
		Attributes: with(attrs{}),
		Blocks: map[string]schema.Block{
			"rule": schema.ListNestedBlock{NestedObject: schema.NestedBlockObject{
				Attributes: attrs{"port": number, "note": text},
				Blocks:     map[string]schema.Block{"peer": schema.SetNestedBlock{NestedObject: peer}, "log": log},
			}},
			"group": schema.SetNestedBlock{NestedObject: schema.NestedBlockObject{
				Attributes: attrs{"who": text},
				Blocks:     map[string]schema.Block{"part": schema.ListNestedBlock{NestedObject: peer}},
			}},
			"log": log,
		},
	}
	row := schema.Schema{Attributes: with(attrs{
		"text": text, "enabled": thing.Attributes["enabled"], "tags": thing.Attributes["tags"], "zones": thing.Attributes["zones"],
	})}
	all := []kind{
		{name: "thing", schema: thing},
		{name: "row", schema: row},
		{name: "deep", schema: deep},
		{name: "echo", schema: schema.Schema{Attributes: with(attrs{"seen": text, "echoed": text})}, echo: []string{"echoed"}},
		{name: "known", schema: schema.Schema{Attributes: with(attrs{"text": text})}, identity: true, private: true},
		versioned(),
	}
	for made := 0; made < world.HugeSchema(); made += 100 {
		all = append(all, huge(made))
	}
	return all
}

// versioned is at schema version 1 with LAB_SCHEMA=1, else at 2, where "label" is called "title".
func versioned() kind {
	if os.Getenv("LAB_SCHEMA") == "1" {
		label := schema.Schema{Version: 1, Attributes: with(attrs{"label": schema.StringAttribute{Optional: true}})}
		return kind{name: "versioned", schema: label, rename: map[string]string{"title": "label"}}
	}
	title := schema.Schema{Version: 2, Attributes: with(attrs{"title": schema.StringAttribute{Optional: true}})}
	return kind{name: "versioned", schema: title}
}

func huge(first int) kind {
	own := attrs{}
	for i := first; i < first+100; i++ {
		own[fmt.Sprintf("attribute_%05d", i)] = schema.MapAttribute{
			Optional: true, ElementType: types.StringType, Description: "One of very many attributes, with words about it.",
		}
	}
	return kind{name: fmt.Sprintf("huge_%05d", first), schema: schema.Schema{Attributes: with(own)}}
}
