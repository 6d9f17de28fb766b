package guest

import "unsafe"

// failed is the bit of a result's length that says: an Error message.
const failed = 1 << 31

// result is pointer << 32 | length of the answer.
func (a *adapter) result(ok bool) uint64 {
	size := uint64(len(a.out))
	if !ok {
		size |= failed
	}
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(a.out))))<<32 | size
}

// policyABI marks the major version of the ABI; it is never called.
//
//go:wasmexport policy_abi_v1
func policyABI() {}

//go:wasmexport policy_buffer
func policyBuffer(size uint32) uint32 {
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(this.buffer(int(size))))))
}

//go:wasmexport policy_describe
func policyDescribe() uint64 { return this.result(this.describe()) }

//go:wasmexport policy_configure
func policyConfigure(size uint32) uint64 { return this.result(this.configure(size)) }

//go:wasmexport constraint_prepare
func constraintPrepare(size uint32) uint64 { return this.result(this.prepareConstraint(size)) }

//go:wasmexport constraint_evaluate
func constraintEvaluate(handle, size uint32) uint64 { return this.result(this.evaluate(handle, size)) }

//go:wasmexport constraint_release
func constraintRelease(handle uint32) { this.constraints.release(handle) }

//go:wasmexport fetch_prepare
func fetchPrepare(size uint32) uint64 { return this.result(this.prepareFetch(size)) }

//go:wasmexport fetch_decide
func fetchDecide(handle, size uint32) uint64 { return this.result(this.decide(handle, size)) }

//go:wasmexport fetch_release
func fetchRelease(handle uint32) { this.fetches.release(handle) }

//go:wasmexport upgrade_prepare
func upgradePrepare(size uint32) uint64 { return this.result(this.prepareUpgrade(size)) }

//go:wasmexport upgrade_next
func upgradeNext(handle, size uint32) uint64 { return this.result(this.step(handle, size)) }

//go:wasmexport upgrade_release
func upgradeRelease(handle uint32) { this.upgrades.release(handle) }

//go:wasmexport health_prepare
func healthPrepare(size uint32) uint64 { return this.result(this.prepareHealth(size)) }

//go:wasmexport health_judge
func healthJudge(handle, size uint32) uint64 { return this.result(this.judge(handle, size)) }

//go:wasmexport health_release
func healthRelease(handle uint32) { this.healths.release(handle) }

//go:wasmexport admission_review
func admissionReview(size uint32) uint64 { return this.result(this.review(size)) }
