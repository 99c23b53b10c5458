package lib.own

owned if input.resource.tag.owner
