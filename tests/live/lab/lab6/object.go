package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	dataschema "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"plumb.test/lab/world"
)

// object is any kind's create, read, update and delete.
type object struct {
	kind
	store *world.Store
}

const privateKey = "lab"

func (o *object) typeName() string { return "lab6_" + o.name }

func (o *object) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = o.typeName()
}

func (o *object) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = o.schema
}

func (o *object) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	if store, ok := req.ProviderData.(*world.Store); ok {
		o.store = store
	}
}

// save stores what was planned, with values for what the remote side decides, and returns the new state.
func (o *object) save(ctx context.Context, planned tftypes.Value) (tftypes.Value, error) {
	remote := toJSON(planned).(map[string]any)
	if tier, ok := remote["tier"]; ok && tier == nil {
		remote["tier"] = "standard"
	}
	for theirs, ours := range o.rename {
		remote[theirs] = remote[ours]
		delete(remote, ours)
	}
	raw, err := o.store.Save(o.typeName(), remote)
	if err != nil {
		return tftypes.Value{}, err
	}
	return o.decode(ctx, raw)
}

func (o *object) decode(ctx context.Context, raw []byte) (tftypes.Value, error) {
	if len(o.rename) > 0 {
		remote := map[string]json.RawMessage{}
		if err := json.Unmarshal(raw, &remote); err != nil {
			return tftypes.Value{}, err
		}
		for theirs, ours := range o.rename {
			remote[ours] = remote[theirs]
			delete(remote, theirs)
		}
		raw, _ = json.Marshal(remote)
	}
	return tftypes.ValueFromJSON(raw, o.schema.Type().TerraformType(ctx))
}

func (o *object) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	state, err := o.save(ctx, req.Plan.Raw)
	if err != nil {
		resp.Diagnostics.AddError("cannot create", err.Error())
		return
	}
	resp.State.Raw = state
	if o.private {
		resp.Diagnostics.Append(resp.Private.SetKey(ctx, privateKey, []byte(`{"made":true}`))...)
	}
	if resp.Identity != nil {
		resp.Diagnostics.Append(resp.Identity.SetAttribute(ctx, path.Root(identityName(identityVersion())), text(state, "id"))...)
	}
	say(world.Meet(ctx, "create/"+o.typeName(), text(state, "id")), &resp.Diagnostics)
}

func (o *object) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	id := text(req.State.Raw, "id")
	if say(world.Meet(ctx, o.typeName(), id), &resp.Diagnostics) {
		return
	}
	if o.private {
		if had, _ := req.Private.GetKey(ctx, privateKey); string(had) != `{"made":true}` {
			resp.Diagnostics.AddError("private state is missing", "the read came without what create wrote")
			return
		}
	}
	raw, err := o.store.Load(o.typeName(), id)
	if err != nil {
		resp.Diagnostics.AddError("cannot read", err.Error())
		return
	}
	if raw == nil {
		resp.State.RemoveResource(ctx)
		return
	}
	live, err := o.decode(ctx, raw)
	if err != nil {
		resp.Diagnostics.AddError("the object is not of this type", err.Error())
		return
	}
	resp.State.Raw = live
	for _, name := range o.echo {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(name), text(req.State.Raw, name))...)
	}
	if resp.Identity != nil {
		resp.Diagnostics.Append(resp.Identity.SetAttribute(ctx, path.Root(identityName(identityVersion())), id)...)
	}
}

func (o *object) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	state, err := o.save(ctx, req.Plan.Raw)
	if err != nil {
		resp.Diagnostics.AddError("cannot update", err.Error())
		return
	}
	resp.State.Raw = state
}

func (o *object) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	id := text(req.State.Raw, "id")
	if say(world.Meet(ctx, "delete/"+o.typeName(), id), &resp.Diagnostics) {
		return
	}
	if err := o.store.Delete(o.typeName(), id); err != nil {
		resp.Diagnostics.AddError("cannot delete", err.Error())
	}
}

func (o *object) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughID(ctx, path.Root("id"), req, resp)
}

// An identity is imported by itself, too: its one attribute is the id.
func (*identified) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughWithIdentity(ctx, path.Root("id"), path.Root(identityName(identityVersion())), req, resp)
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, privateKey, []byte(`{"made":true}`))...)
}

// UpgradeState leads version 1 of lab6_versioned to version 2.
func (o *object) UpgradeState(ctx context.Context) map[int64]resource.StateUpgrader {
	if o.schema.Version != 2 {
		return nil
	}
	return map[int64]resource.StateUpgrader{1: {StateUpgrader: o.upgrade}}
}

func (o *object) upgrade(ctx context.Context, req resource.UpgradeStateRequest, resp *resource.UpgradeStateResponse) {
	old := map[string]any{}
	if err := json.Unmarshal(req.RawState.JSON, &old); err != nil {
		resp.Diagnostics.AddError("cannot upgrade", err.Error())
		return
	}
	old["title"] = old["label"]
	delete(old, "label")
	raw, _ := json.Marshal(old)
	state, err := o.decode(ctx, raw)
	if err != nil {
		resp.Diagnostics.AddError("cannot upgrade", err.Error())
		return
	}
	resp.State.Raw = state
}

// identified is an object that also has a resource identity, which its read insists on. At identity
// version 1 (LAB_IDENTITY=1) the one attribute is called "key", at version 0 "id".
type identified struct{ *object }

func identitySchema(version int64) identityschema.Schema {
	name := identityName(version)
	return identityschema.Schema{Version: version, Attributes: map[string]identityschema.Attribute{
		name: identityschema.StringAttribute{RequiredForImport: true},
	}}
}

func identityName(version int64) string { return []string{"id", "key"}[version] }

func identityVersion() int64 {
	if os.Getenv("LAB_IDENTITY") == "1" {
		return 1
	}
	return 0
}

func (*identified) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identitySchema(identityVersion())
}

func (i *identified) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var key types.String
	if req.Identity != nil && !req.Identity.Raw.IsNull() {
		req.Identity.GetAttribute(ctx, path.Root(identityName(identityVersion())), &key)
	}
	if key.ValueString() != text(req.State.Raw, "id") {
		resp.Diagnostics.AddError("identity is missing", "the read came without the identity that create gave")
		return
	}
	i.object.Read(ctx, req, resp)
}

func (*identified) UpgradeIdentity(context.Context) map[int64]resource.IdentityUpgrader {
	if identityVersion() == 0 {
		return nil
	}
	old := identitySchema(0)
	return map[int64]resource.IdentityUpgrader{0: {PriorSchema: &old,
		IdentityUpgrader: func(ctx context.Context, req resource.UpgradeIdentityRequest, resp *resource.UpgradeIdentityResponse) {
			var id types.String
			resp.Diagnostics.Append(req.Identity.GetAttribute(ctx, path.Root("id"), &id)...)
			resp.Identity.Raw = tftypes.NewValue(identitySchema(1).Type().TerraformType(ctx),
				map[string]tftypes.Value{"key": tftypes.NewValue(tftypes.String, id.ValueString())})
		}}}
}

// say turns an outcome into diagnostics; true means that the call failed.
func say(out world.Outcome, diags *diag.Diagnostics) bool {
	if out.Warning != "" {
		diags.AddWarning("lab warning", out.Warning)
	}
	if out.Error != "" {
		diags.AddError("lab error", out.Error)
	}
	return out.Error != ""
}

// text is a top-level string attribute of a state, "" for null.
func text(state tftypes.Value, name string) (s string) {
	members := map[string]tftypes.Value{}
	if state.As(&members) == nil && members[name].IsKnown() && !members[name].IsNull() {
		members[name].As(&s)
	}
	return s
}

// info is a data source, so that stacks can have one.
type info struct{}

func (*info) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "lab6_info"
}

func (*info) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = dataschema.Schema{Attributes: map[string]dataschema.Attribute{"region": dataschema.StringAttribute{Computed: true}}}
}

func (*info) Read(ctx context.Context, _ datasource.ReadRequest, resp *datasource.ReadResponse) {
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("region"), types.StringValue("lab-1"))...)
}
