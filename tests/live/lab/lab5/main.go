// lab5 is a provider of protocol 5, on terraform-plugin-sdk v2: its remote objects are files.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"
	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"

	"plumb.test/lab/world"
)

func main() {
	world.Serve(5, "plumb.test/lab/lab5", &tf5server.GRPCProviderPlugin{
		Name:         "plumb.test/lab/lab5",
		GRPCProvider: func() tfprotov5.ProviderServer { return schema.NewGRPCProviderServer(provider()) },
	})
}

func provider() *schema.Provider {
	resources := map[string]*schema.Resource{
		"lab5_thing":     resource("lab5_thing", thing()),
		"lab5_echo":      resource("lab5_echo", map[string]*schema.Schema{"seen": optional(schema.TypeString), "echoed": optional(schema.TypeString)}, "echoed"),
		"lab5_versioned": versioned(),
	}
	for made := 0; made < world.HugeSchema(); made += 100 {
		name := fmt.Sprintf("lab5_huge_%05d", made)
		resources[name] = resource(name, huge(made))
	}
	return &schema.Provider{
		Schema: map[string]*schema.Schema{
			"store": {Type: schema.TypeString, Optional: true},
			"token": {Type: schema.TypeString, Optional: true, Sensitive: true},
		},
		ResourcesMap: resources,
		ConfigureContextFunc: func(_ context.Context, d *schema.ResourceData) (any, diag.Diagnostics) {
			store, err := world.Open(d.Get("store").(string))
			if err != nil {
				return nil, diag.Diagnostics{{Severity: diag.Error, Summary: "lab5 cannot be configured", Detail: err.Error()}}
			}
			return store, nil
		},
	}
}

func optional(t schema.ValueType) *schema.Schema { return &schema.Schema{Type: t, Optional: true} }

func list(t schema.ValueType, element any) *schema.Schema {
	return &schema.Schema{Type: t, Optional: true, Elem: element}
}

// thing returns empty values where the configuration has none, as SDK v2 providers do.
func thing() map[string]*schema.Schema {
	text, number := optional(schema.TypeString), optional(schema.TypeInt)
	plain := &schema.Schema{Type: schema.TypeString}
	rule := &schema.Resource{Schema: map[string]*schema.Schema{
		"port": number, "cidrs": list(schema.TypeSet, plain), "note": text,
	}}
	mode := &schema.Resource{Schema: map[string]*schema.Schema{"mode": text, "level": number}}
	settings := list(schema.TypeList, mode)
	settings.MaxItems = 1
	return map[string]*schema.Schema{
		"text":     text,
		"size":     number,
		"ratio":    optional(schema.TypeFloat),
		"enabled":  optional(schema.TypeBool),
		"tier":     {Type: schema.TypeString, Optional: true, Computed: true},
		"tags":     list(schema.TypeMap, plain),
		"labels":   list(schema.TypeList, plain),
		"zones":    list(schema.TypeSet, plain),
		"rule":     list(schema.TypeSet, rule),
		"settings": settings,
		"secret":   {Type: schema.TypeString, Optional: true, Sensitive: true},
	}
}

// versioned is at schema version 0 with LAB_SCHEMA=1, else at 2, where "label" is called "title".
func versioned() *schema.Resource {
	if os.Getenv("LAB_SCHEMA") == "1" {
		return resource("lab5_versioned", map[string]*schema.Schema{"label": optional(schema.TypeString)})
	}
	old := resource("lab5_versioned", map[string]*schema.Schema{"label": optional(schema.TypeString)})
	r := resource("lab5_versioned", map[string]*schema.Schema{"title": optional(schema.TypeString)})
	r.SchemaVersion = 2
	r.StateUpgraders = []schema.StateUpgrader{
		{Version: 0, Type: old.CoreConfigSchema().ImpliedType(), Upgrade: func(_ context.Context, raw map[string]any, _ any) (map[string]any, error) {
			raw["title"] = raw["label"]
			delete(raw, "label")
			return raw, nil
		}},
		{Version: 1, Type: r.CoreConfigSchema().ImpliedType(), Upgrade: func(_ context.Context, raw map[string]any, _ any) (map[string]any, error) {
			return raw, nil
		}},
	}
	return r
}

func huge(first int) map[string]*schema.Schema {
	own := map[string]*schema.Schema{}
	for i := first; i < first+100; i++ {
		own[fmt.Sprintf("attribute_%05d", i)] = list(schema.TypeMap, &schema.Schema{Type: schema.TypeString})
	}
	return own
}

// resource gives a type its create, read, update and delete; reads leave the attributes in echo alone.
func resource(name string, own map[string]*schema.Schema, echo ...string) *schema.Resource {
	own["name"] = &schema.Schema{Type: schema.TypeString, Required: true, ForceNew: true}
	own["etag"] = &schema.Schema{Type: schema.TypeString, Computed: true}
	timeout := 5 * time.Minute
	save := func(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
		object := map[string]any{}
		for key := range own {
			object[key] = plain(d.Get(key))
		}
		if tier, ok := object["tier"]; ok && tier == "" {
			object["tier"] = "standard"
		}
		if object["label"] != nil {
			object["title"] = object["label"]
		}
		raw, err := meta.(*world.Store).Save(name, object)
		if err != nil {
			return diag.FromErr(err)
		}
		d.SetId(object["id"].(string))
		return set(d, raw, own, echo)
	}
	return &schema.Resource{
		Schema:   own,
		Timeouts: &schema.ResourceTimeout{Create: &timeout},
		CreateContext: func(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
			return append(save(ctx, d, meta), say(world.Meet(ctx, "create/"+name, d.Id()))...)
		},
		UpdateContext: save,
		ReadContext: func(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
			said := say(world.Meet(ctx, name, d.Id()))
			if said.HasError() {
				return said
			}
			raw, err := meta.(*world.Store).Load(name, d.Id())
			if err != nil {
				return diag.FromErr(err)
			}
			if raw == nil {
				d.SetId("")
				return said
			}
			return append(said, set(d, raw, own, echo)...)
		},
		DeleteContext: func(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
			if said := say(world.Meet(ctx, "delete/"+name, d.Id())); said.HasError() {
				return said
			}
			return diag.FromErr(meta.(*world.Store).Delete(name, d.Id()))
		},
		Importer: &schema.ResourceImporter{StateContext: schema.ImportStatePassthroughContext},
	}
}

func set(d *schema.ResourceData, raw []byte, own map[string]*schema.Schema, echo []string) diag.Diagnostics {
	object := map[string]any{}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&object); err != nil {
		return diag.FromErr(err)
	}
	object = plain(object).(map[string]any)
	if object["title"] != nil {
		object["label"] = object["title"]
	}
	for _, name := range echo {
		delete(object, name)
	}
	for key := range own {
		if value, ok := object[key]; ok {
			if err := d.Set(key, value); err != nil {
				return diag.FromErr(err)
			}
		}
	}
	return nil
}

// plain turns the SDK's sets into lists, and JSON's numbers into Go's, all the way down.
func plain(value any) any {
	switch v := value.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n)
		}
		f, _ := v.Float64()
		return f
	case *schema.Set:
		return plain(v.List())
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	case map[string]any:
		for key := range v {
			v[key] = plain(v[key])
		}
	}
	return value
}

func say(out world.Outcome) (said diag.Diagnostics) {
	if out.Warning != "" {
		said = append(said, diag.Diagnostic{Severity: diag.Warning, Summary: "lab warning", Detail: out.Warning})
	}
	if out.Error != "" {
		said = append(said, diag.Diagnostic{Severity: diag.Error, Summary: "lab error", Detail: out.Error})
	}
	return said
}
