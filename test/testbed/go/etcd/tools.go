//go:build tools

// Package tools pins the etcd that the testbed builds where neither PATH nor a package manager has one.
package tools

import _ "go.etcd.io/etcd/server/v3"
