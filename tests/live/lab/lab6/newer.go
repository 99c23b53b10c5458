package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/action"
	actionschema "github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	ephemeralschema "github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/list"
	listschema "github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"plumb.test/lab/world"
)

// What providers have besides resources since protocol 6.3: functions, ephemeral resources, moves from
// other types, actions, lists.

func (*lab) EphemeralResources(context.Context) []func() ephemeral.EphemeralResource {
	return []func() ephemeral.EphemeralResource{func() ephemeral.EphemeralResource { return &lease{} }}
}

func (*lab) Functions(context.Context) []func() function.Function {
	return []func() function.Function{func() function.Function { return &twice{} }}
}

func (*lab) Actions(context.Context) []func() action.Action {
	return []func() action.Action{func() action.Action { return &ring{} }}
}

func (*lab) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{func() list.ListResource { return &known{} }}
}

// lease is open for a second at a time, and keeps what it needs to be renewed and closed in private data.
type lease struct{}

func (*lease) Metadata(_ context.Context, _ ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = "lab6_lease"
}

func (*lease) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	resp.Schema = ephemeralschema.Schema{Attributes: map[string]ephemeralschema.Attribute{
		"of":    ephemeralschema.StringAttribute{Required: true},
		"value": ephemeralschema.StringAttribute{Computed: true, Sensitive: true},
	}}
}

func (*lease) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	var of types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("of"), &of)...)
	resp.Result.Raw = req.Config.Raw
	resp.Diagnostics.Append(resp.Result.SetAttribute(ctx, path.Root("value"), "leased-"+of.ValueString())...)
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, privateKey, []byte(`{"open":true}`))...)
	resp.RenewAt = time.Now().Add(time.Second)
}

func isOpen(had []byte, diags *diag.Diagnostics) {
	if string(had) != `{"open":true}` {
		diags.AddError("private data is missing", "the call came without what open gave")
	}
}

func (*lease) Renew(ctx context.Context, req ephemeral.RenewRequest, resp *ephemeral.RenewResponse) {
	had, _ := req.Private.GetKey(ctx, privateKey)
	isOpen(had, &resp.Diagnostics)
	resp.Private, resp.RenewAt = req.Private, time.Now().Add(time.Second)
}

func (*lease) Close(ctx context.Context, req ephemeral.CloseRequest, resp *ephemeral.CloseResponse) {
	had, _ := req.Private.GetKey(ctx, privateKey)
	isOpen(had, &resp.Diagnostics)
}

type twice struct{}

func (*twice) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "twice"
}

func (*twice) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{Parameters: []function.Parameter{function.StringParameter{Name: "text"}}, Return: function.StringReturn{}}
}

func (*twice) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var text string
	if resp.Error = req.Arguments.Get(ctx, &text); resp.Error == nil {
		resp.Error = resp.Result.Set(ctx, text+text)
	}
}

// MoveState makes a lab6_row out of a lab6_thing of the same name.
func (o *object) MoveState(context.Context) []resource.StateMover {
	if o.name != "row" {
		return nil
	}
	return []resource.StateMover{{StateMover: func(ctx context.Context, req resource.MoveStateRequest, resp *resource.MoveStateResponse) {
		if req.SourceTypeName != "lab6_thing" {
			return
		}
		was := map[string]any{}
		if err := json.Unmarshal(req.SourceRawState.JSON, &was); err != nil {
			resp.Diagnostics.AddError("cannot move", err.Error())
			return
		}
		for _, name := range []string{"id", "etag", "name", "text"} {
			value, _ := was[name].(string)
			resp.Diagnostics.Append(resp.TargetState.SetAttribute(ctx, path.Root(name), value)...)
		}
	}}}
}

// ring writes an object: an action changes the world without a resource.
type ring struct{ store *world.Store }

func (*ring) Metadata(_ context.Context, _ action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = "lab6_ring"
}

func (*ring) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = actionschema.Schema{Attributes: map[string]actionschema.Attribute{"name": actionschema.StringAttribute{Required: true}}}
}

func (r *ring) Configure(_ context.Context, req action.ConfigureRequest, _ *action.ConfigureResponse) {
	if store, ok := req.ProviderData.(*world.Store); ok {
		r.store = store
	}
}

func (r *ring) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var name types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("name"), &name)...)
	resp.SendProgress(action.InvokeProgressEvent{Message: "ringing " + name.ValueString()})
	if _, err := r.store.Save("lab6_ring", map[string]any{"name": name.ValueString()}); err != nil {
		resp.Diagnostics.AddError("cannot ring", err.Error())
	}
}

// known lists what is there of lab6_known, whose objects have identities.
type known struct{ store *world.Store }

func (*known) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "lab6_known"
}

func (*known) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = listschema.Schema{}
}

func (k *known) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	if store, ok := req.ProviderData.(*world.Store); ok {
		k.store = store
	}
}

func (k *known) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	names, err := k.store.Names("lab6_known")
	stream.Results = func(push func(list.ListResult) bool) {
		for _, name := range names {
			result := req.NewListResult(ctx)
			result.DisplayName = name
			result.Diagnostics.Append(result.Identity.SetAttribute(ctx, path.Root("id"), name)...)
			if !push(result) {
				return
			}
		}
	}
	if err != nil {
		stream.Results = list.ListResultsStreamDiagnostics(diag.Diagnostics{diag.NewErrorDiagnostic("cannot list", err.Error())})
	}
}
