"""A stack of 300 doors that were all painted by hand, and a plan that touches none of them."""
import json


def door(n, colour="red"):
    return {"id": str(n), "colour": colour}


with open("stack/terraform.tfstate", "w", encoding="utf-8") as file:
    json.dump({"version": 4, "terraform_version": "1.9.0", "serial": 3, "outputs": {}, "check_results": None,
               "lineage": "5f3c1b0e-0000-4000-8000-000000000001",
               "resources": [{"mode": "managed", "type": "x_door", "name": "d",
                              "provider": 'provider["registry.terraform.io/acme/x"]',
                              "instances": [{"index_key": n, "schema_version": 0, "attributes": door(n),
                                             "sensitive_attributes": []} for n in range(300)]}]}, file)
with open("painted.ndjson", "w", encoding="utf-8") as file:
    file.write('{"complete": true}\n')
    for n in range(300):
        file.write(json.dumps({"address": f"x_door.d[{n}]", "attributes": door(n, "blue")}) + "\n")
with open("plan.json", "w", encoding="utf-8") as file:
    json.dump({"format_version": "1.2", "terraform_version": "1.9.0", "complete": True, "errored": False,
               "resource_changes": []}, file)
