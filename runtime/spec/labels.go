package spec

// StrategyLabel is the label of an app that names its upgrade strategy.
const StrategyLabel = "PACER_UPGRADE_STRATEGY"

// HealthRuleLabel is the label of an app that names the rule by which its
// instances are judged healthy.
const HealthRuleLabel = "PACER_HEALTH_RULE"

// FetchLabel is the label of a task that tells agents how to check what they fetch
// for it. It is the server's alone: an app's label of this name is not passed on.
const FetchLabel = "PACER_FETCH"
