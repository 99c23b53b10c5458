// labpg is a provider of protocol 5, on terraform-plugin-sdk v2, for roles, databases and grants of a
// real PostgreSQL server, which it reaches as libpq's environment says (PGHOST, PGUSER, ...).
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"
	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/lib/pq"

	"plumb.test/lab/world"
)

func main() {
	world.Serve(5, "plumb.test/lab/labpg", &tf5server.GRPCProviderPlugin{
		Name:         "plumb.test/lab/labpg",
		GRPCProvider: func() tfprotov5.ProviderServer { return schema.NewGRPCProviderServer(provider()) },
	})
}

func provider() *schema.Provider {
	return &schema.Provider{
		Schema: map[string]*schema.Schema{
			"connection": {Type: schema.TypeString, Optional: true, Default: "", Sensitive: true},
		},
		ResourcesMap: map[string]*schema.Resource{"labpg_role": role(), "labpg_database": database(), "labpg_grant": grant()},
		ConfigureContextFunc: func(ctx context.Context, d *schema.ResourceData) (any, diag.Diagnostics) {
			db, err := sql.Open("postgres", d.Get("connection").(string))
			if err == nil {
				err = db.PingContext(ctx)
			}
			return db, diag.FromErr(err)
		},
	}
}

type attrs = map[string]*schema.Schema

var (
	name   = &schema.Schema{Type: schema.TypeString, Required: true, ForceNew: true}
	flag   = &schema.Schema{Type: schema.TypeBool, Optional: true}
	limit  = &schema.Schema{Type: schema.TypeInt, Optional: true, Default: -1}
	strs   = &schema.Schema{Type: schema.TypeSet, Optional: true, Elem: &schema.Schema{Type: schema.TypeString}}
	oid    = &schema.Schema{Type: schema.TypeInt, Computed: true}
	secret = &schema.Schema{Type: schema.TypeString, Optional: true, Sensitive: true}
	quote  = pq.QuoteIdentifier
)

type statements func(d *schema.ResourceData) []string

type query func(ctx context.Context, db *sql.DB, d *schema.ResourceData) error

// resource runs statements to write, and a query to read that sets attributes; sql.ErrNoRows means gone.
func resource(own attrs, create, update, remove statements, read query) *schema.Resource {
	reread := func(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
		err := read(ctx, meta.(*sql.DB), d)
		if errors.Is(err, sql.ErrNoRows) {
			d.SetId("")
			return nil
		}
		return diag.FromErr(err)
	}
	run := func(ctx context.Context, d *schema.ResourceData, meta any, lines []string) diag.Diagnostics {
		for _, line := range lines {
			if _, err := meta.(*sql.DB).ExecContext(ctx, line); err != nil {
				return diag.Errorf("%s: %v", line, err)
			}
		}
		return nil
	}
	return &schema.Resource{
		Schema: own,
		CreateContext: func(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
			if said := run(ctx, d, meta, create(d)); said != nil {
				return said
			}
			d.SetId(d.Get("name").(string))
			if said := run(ctx, d, meta, update(d)); said != nil {
				return said
			}
			return reread(ctx, d, meta)
		},
		UpdateContext: func(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
			if said := run(ctx, d, meta, update(d)); said != nil {
				return said
			}
			return reread(ctx, d, meta)
		},
		DeleteContext: func(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
			return run(ctx, d, meta, remove(d))
		},
		ReadContext: reread,
	}
}

func setAll(d *schema.ResourceData, values map[string]any) error {
	for key, value := range values {
		if err := d.Set(key, value); err != nil {
			return err
		}
	}
	return nil
}

func option(on any, word string) string {
	if on.(bool) {
		return " " + word
	}
	return " NO" + word
}

// role does not read its password back: the server would not say.
func role() *schema.Resource {
	self := func(d *schema.ResourceData) string { return quote(d.Get("name").(string)) }
	return resource(
		attrs{"name": name, "login": flag, "superuser": flag, "create_database": flag, "connection_limit": limit,
			"comment": {Type: schema.TypeString, Optional: true}, "password": secret, "member_of": strs, "oid": oid},
		func(d *schema.ResourceData) []string { return []string{"CREATE ROLE " + self(d)} },
		func(d *schema.ResourceData) []string {
			lines := []string{
				"ALTER ROLE " + self(d) + option(d.Get("login"), "LOGIN") + option(d.Get("superuser"), "SUPERUSER") +
					option(d.Get("create_database"), "CREATEDB") + fmt.Sprint(" CONNECTION LIMIT ", d.Get("connection_limit")),
				"COMMENT ON ROLE " + self(d) + " IS " + pq.QuoteLiteral(d.Get("comment").(string)),
			}
			if password := d.Get("password").(string); password != "" {
				lines = append(lines, "ALTER ROLE "+self(d)+" PASSWORD "+pq.QuoteLiteral(password))
			}
			for _, group := range d.Get("member_of").(*schema.Set).List() {
				lines = append(lines, "GRANT "+quote(group.(string))+" TO "+self(d))
			}
			return lines
		},
		func(d *schema.ResourceData) []string { return []string{"DROP ROLE " + self(d)} },
		func(ctx context.Context, db *sql.DB, d *schema.ResourceData) error {
			var login, super, createdb bool
			var limit, oid int
			var comment string
			var groups []string
			err := db.QueryRowContext(ctx, `SELECT oid, rolcanlogin, rolsuper, rolcreatedb, rolconnlimit,
				coalesce(shobj_description(oid, 'pg_authid'), ''),
				ARRAY(SELECT roleid::regrole::text FROM pg_auth_members WHERE member = r.oid)
				FROM pg_roles r WHERE rolname = $1`, d.Id()).Scan(&oid, &login, &super, &createdb, &limit, &comment, pq.Array(&groups))
			if err != nil {
				return err
			}
			return setAll(d, map[string]any{"login": login, "superuser": super, "create_database": createdb,
				"connection_limit": limit, "comment": comment, "member_of": groups, "oid": oid})
		})
}

func database() *schema.Resource {
	self := func(d *schema.ResourceData) string { return quote(d.Get("name").(string)) }
	return resource(
		attrs{"name": name, "owner": {Type: schema.TypeString, Optional: true, Computed: true}, "connection_limit": limit, "oid": oid},
		func(d *schema.ResourceData) []string { return []string{"CREATE DATABASE " + self(d)} },
		func(d *schema.ResourceData) []string {
			lines := []string{"ALTER DATABASE " + self(d) + fmt.Sprint(" CONNECTION LIMIT ", d.Get("connection_limit"))}
			if owner := d.Get("owner").(string); owner != "" {
				lines = append(lines, "ALTER DATABASE "+self(d)+" OWNER TO "+quote(owner))
			}
			return lines
		},
		func(d *schema.ResourceData) []string { return []string{"DROP DATABASE " + self(d)} },
		func(ctx context.Context, db *sql.DB, d *schema.ResourceData) error {
			var owner string
			var limit, oid int
			err := db.QueryRowContext(ctx, `SELECT oid, datdba::regrole::text, datconnlimit FROM pg_database WHERE datname = $1`,
				d.Id()).Scan(&oid, &owner, &limit)
			if err != nil {
				return err
			}
			return setAll(d, map[string]any{"owner": owner, "connection_limit": limit, "oid": oid})
		})
}

// grant is what one role may do with one database; its "name" is ROLE:DATABASE.
func grant() *schema.Resource {
	parts := func(d *schema.ResourceData) (string, string) {
		role, database, _ := strings.Cut(d.Get("name").(string), ":")
		return quote(role), quote(database)
	}
	revoke := func(d *schema.ResourceData) []string {
		role, database := parts(d)
		return []string{"REVOKE ALL ON DATABASE " + database + " FROM " + role}
	}
	return resource(
		attrs{"name": name, "privileges": strs},
		func(d *schema.ResourceData) []string { return nil },
		func(d *schema.ResourceData) []string {
			role, database := parts(d)
			lines := revoke(d)
			for _, privilege := range d.Get("privileges").(*schema.Set).List() {
				lines = append(lines, "GRANT "+privilege.(string)+" ON DATABASE "+database+" TO "+role)
			}
			return lines
		},
		revoke,
		func(ctx context.Context, db *sql.DB, d *schema.ResourceData) error {
			role, database, _ := strings.Cut(d.Id(), ":")
			var privileges []string
			err := db.QueryRowContext(ctx, `SELECT ARRAY(SELECT a.privilege_type FROM aclexplode(d.datacl) a
				WHERE a.grantee = r.oid) FROM pg_database d, pg_roles r WHERE d.datname = $1 AND r.rolname = $2`,
				database, role).Scan(pq.Array(&privileges))
			if err != nil {
				return err
			}
			if len(privileges) == 0 {
				return sql.ErrNoRows
			}
			return setAll(d, map[string]any{"privileges": privileges})
		})
}
