// Package models holds networks under the names by which timm, torchvision and
// the CIFAR literature know them, and a registry to make them by name.
//
// [New] declares a model's parameters in a scope, under PyTorch's names, so that
// published weights fit without translation; the [Model] then adds its
// computation to as many graphs as are wanted. [Info] is what is known about a
// model beside its code: the input that it was made for, the preprocessing of
// its published weights, and which of its layers meet the image and give the
// classes, so that gray images and other classes need no code of their own.
// [Measure] counts parameters and work without a device.
//
// A family of networks is one file: a constructor that takes what its members
// differ in, and a table of the members. [Register] adds models from elsewhere.
package models
