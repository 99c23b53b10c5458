// lab6 is a provider of protocol 6, on terraform-plugin-framework: its remote objects are files.
package main

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"

	"plumb.test/lab/world"
)

func main() {
	server := providerserver.NewProtocol6(&lab{})
	world.Serve(6, "plumb.test/lab/lab6", &tf6server.GRPCProviderPlugin{
		Name:         "plumb.test/lab/lab6",
		GRPCProvider: func() tfprotov6.ProviderServer { return server() },
	})
}

type lab struct{}

type labConfig struct {
	Store types.String `tfsdk:"store"`
	Motto types.String `tfsdk:"motto"`
	Token types.String `tfsdk:"token"`
}

func (*lab) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName, resp.Version = "lab6", "1.0.0"
}

func (*lab) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{Attributes: map[string]schema.Attribute{
		"store": schema.StringAttribute{Optional: true},
		"motto": schema.StringAttribute{Optional: true}, // does nothing
		"token": schema.StringAttribute{Optional: true, Sensitive: true},
	}}
}

func (*lab) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var config labConfig
	if resp.Diagnostics.Append(req.Config.Get(ctx, &config)...); resp.Diagnostics.HasError() {
		return
	}
	store, err := world.Open(config.Store.ValueString())
	if err != nil {
		resp.Diagnostics.AddError("lab6 cannot be configured", err.Error())
		return
	}
	resp.ResourceData, resp.DataSourceData, resp.ActionData, resp.ListResourceData = store, store, store, store
}

func (*lab) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{func() datasource.DataSource { return &info{} }}
}

func (*lab) Resources(context.Context) []func() resource.Resource {
	made := []func() resource.Resource{}
	for _, k := range kinds() {
		made = append(made, func() resource.Resource {
			o := &object{kind: k}
			if k.identity {
				return &identified{o}
			}
			return o
		})
	}
	return made
}
