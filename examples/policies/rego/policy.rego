# What the platform team asks of an app. The adapter evaluates data.pacer.decision:
#
#   {"allow": true}                                    lets a change through,
#   {"allow": false, "reason": …, "path": …}           refuses it,
#   and "warnings": […] and "amended": {…} go with allow.
#
# input is the request (README.md has its fields), data.settings what policies.yaml says.
package pacer

default decision := {"allow": true}

decision := {"allow": false, "path": problem.path, "reason": problem.reason} if {
	count(problems) > 0
	problem := min(problems) # the order of Rego: always the same one
} else := {"allow": true, "warnings": warnings, "amended": amended} if {
	changes_app
}

changes_app if {
	input.subject == "app"
	input.verb != "delete"
}

# Each app has an owner.
problems contains {"path": "/labels", "reason": concat("", ["the label ", label, " is missing"])} if {
	changes_app
	some label in data.settings.labels
	object.get(input.new, ["labels", label], "") == ""
}

# What is run has to be the same tomorrow.
problems contains {"path": "/container/docker/image", "reason": "an image needs a tag other than latest, or a digest"} if {
	changes_app
	floating(input.new.container.docker.image)
}

floating(image) if endswith(image, ":latest")

floating(image) if {
	parts := split(image, "/")
	not contains(parts[count(parts) - 1], ":")
	not contains(image, "@sha256:")
}

# Only those who are named may touch production.
problems contains {"path": "", "reason": concat("", [user, " may not change what is in ", group])} if {
	some group, users in data.settings.restricted
	startswith(input.id, concat("", [group, "/"]))
	user := input.user
	not user in users
}

warnings contains concat("", [input.id, " has a single instance"]) if input.new.instances == 1

# What says nothing else runs with the normal priority.
default amended := null

amended := object.union(input.new, {"labels": {"priority": "normal"}}) if not input.new.labels.priority
