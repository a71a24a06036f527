// Package pretrain trains a network without labels, so that another training can start
// from its weights. A method is a train.Pretext, or several for the layers one after the
// other: the images, or what the layers below make of them, are the target.
//
// It stands above package train, whose loop, loader, optimizer, schedule, average and
// checkpoints it uses as they are, and adds what that need not know: decoders, masks and
// noise, and the order of the layers.
//
// After each epoch the same loss is measured on images that are not trained on, with masks
// and noise that are the same each time, and chooses the best epoch; layer by layer, each
// layer its own, of which the last one's is the run's.
//
// What the methods need beside the model has parameters below "pretrain."; together with
// the classifier, which nothing trains, they lie apart from the weights in a checkpoint.
// What a network has between its last map and the classifier stays as it began, too, under
// the methods that train its trunk.
package pretrain
