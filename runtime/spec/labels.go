package spec

// StrategyLabel is the label of an app that names its upgrade strategy.
const StrategyLabel = "PACER_UPGRADE_STRATEGY"
