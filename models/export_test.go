package models

// Forget takes a model out of the registry, so that a test can register it again.
func Forget(name string) {
	registry.Lock()
	defer registry.Unlock()
	delete(registry.specs, name)
}
