package cluster_test

func runCluster(string) int { return 0 }
