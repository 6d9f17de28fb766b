package spec

// StrategyLabel is the label of an app that names its upgrade strategy.
const StrategyLabel = "PACER_UPGRADE_STRATEGY"

// HealthRuleLabel is the label of an app that names the rule by which its
// instances are judged healthy.
const HealthRuleLabel = "PACER_HEALTH_RULE"
