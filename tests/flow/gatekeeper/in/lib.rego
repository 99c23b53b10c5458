package k

violation[{"msg": "no"}] {
  input.review.object.kind == "Pod"
}
