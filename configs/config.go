package configs

// The struct tags below are read by the rules in fields.go, which serve the
// loader, the checks and the JSON Schema alike:
//
//	json     the key
//	min max  inclusive bounds of the number, or of every number of a list
//	above below  exclusive bounds
//	known    the names that are accepted
//	later    names that are meant but not built yet; refused in those words
//	off      the only values accepted for a key whose feature is not built yet
//	match    a pattern for the whole text, put into words by shape
//	alone    true where a list of one number may be written as the number
//	also     names that people know from elsewhere, for "did you mean"
//
// The doc comments become the descriptions in the schema.

// Config says everything about a run: what is trained, on what, how, and where
// the results go. The zero value is not useful; start from [Default] or [Load].
type Config struct {
	// The network.
	Model Model `json:"model"`
	// The images and their labels.
	Data Data `json:"data" also:"dataset"`
	// What is done to a training image beyond what evaluation does.
	Augment Augment `json:"augment" also:"augmentation,aug,transforms"`
	// What training minimises.
	Loss Loss `json:"loss" also:"criterion"`
	// Learning from another network beside the labels.
	Distill Distill `json:"distill" also:"distillation,kd,teacher"`
	// How gradients become updates.
	Optimizer Optimizer `json:"optimizer" also:"opt,optim"`
	// How the learning rate moves during training.
	Schedule Schedule `json:"schedule" also:"scheduler,lr_scheduler,sched"`
	// The training loop.
	Train Train `json:"train" also:"training,trainer"`
	// Evaluation, during training and afterwards.
	Eval Eval `json:"eval" also:"evaluation,val,validation,test"`
	// Starting from the weights of another training.
	Finetune Finetune `json:"finetune" also:"fine_tune,pretrained"`
	// Training without labels, before another training: the command pretrain.
	Pretrain Pretrain `json:"pretrain" also:"pretraining,unsupervised,self_supervised,ssl"`
	// The learning-rate range test.
	LRFind LRFind `json:"lr_find" also:"lr_finder,find_lr"`
	// Where results go.
	Output Output `json:"output" also:"out"`
	// The machine.
	Runtime Runtime `json:"runtime" also:"system,hardware"`
}

// Model chooses the network.
type Model struct {
	// Name of the model; "trainer models list" shows them. Every run needs one. auto is
	// the model, with the layers chosen for it, that finetune.weights tell they belong
	// to.
	Name string `json:"name" also:"arch,architecture,type"`
	// Number of classes of the classifier. Default 0: as many as the data has.
	NumClasses int `json:"num_classes" min:"0" also:"classes,nb_classes"`
	// Channels of the input. Default 0: as many as the data has.
	InChans int `json:"in_chans" min:"0" also:"in_channels,channels"`
	// Stochastic depth: the probability of leaving out the last residual
	// branch, growing linearly from 0 at the first one. Default 0, off.
	DropPath float64 `json:"drop_path" min:"0" below:"1" also:"drop_path_rate,stochastic_depth"`
	// Dropout before the classifier, which some models have within, too: the
	// probability of losing a value. Default -1: the model's own, for most none.
	Dropout float64 `json:"dropout" min:"-1" below:"1" also:"drop,drop_rate,drop_out"`
	// Drop block: the probability with which each pixel of the last two stages' maps is
	// lost in squares, for residual networks (Ghiasi et al., arXiv 1810.12890).
	// Default 0, off.
	DropBlock float64 `json:"drop_block" min:"0" below:"1" also:"drop_block_rate"`
	// Normalisation in place of the model's own, such as batch or group:groups=32;
	// "trainer models list --layers" shows all. Default empty, the model's.
	Norm string `json:"norm" also:"norm_layer"`
	// Activation in place of the model's own, such as mish. Default empty, the
	// model's.
	Act string `json:"act" also:"activation,act_layer"`
	// Attention at the end of each residual branch, such as eca or se:reduction=8;
	// none takes the model's own away. Default empty, the model's.
	Attn string `json:"attn" also:"attention,attn_layer"`
	// Convolution in place of the standard one. Default empty, the model's.
	Conv string `json:"conv" also:"conv_layer"`
}

// AutoModel is the Model.Name that leaves the model to the weights.
const AutoModel = "auto"

// Data says where the images are and how they enter the network.
type Data struct {
	// Format of the data set. Default folder.
	Format string `json:"format" known:"digits,idx,cifar,folder,npz,tensors,tar,csv" later:"coco,voc,yolo" also:"dataset,name"`
	// Folder or file that holds the data set, or for tar a pattern such as
	// {train-{0000..0012},val-{00..03}}.tar; ${NAME} stands for an environment
	// variable. Not needed for digits, which is part of the program. Default
	// empty.
	Root string `json:"root" also:"dir,path,data_dir"`
	// Split to train on. Default train.
	TrainSplit string `json:"train_split"`
	// Greatest number of images to train on, drawn from the training split with the
	// classes' shares; which ones does not depend on train.seed. Default 0: all.
	TrainLimit int `json:"train_limit" min:"0" also:"limit,subset,max_images,num_train"`
	// Split to evaluate on. For pretrain none measures nothing. Default val.
	ValSplit string `json:"val_split" also:"test_split"`
	// Share of the images that becomes val where the data has no split of its
	// own; which ones does not depend on train.seed. Default 0.2.
	ValFraction float64 `json:"val_fraction" above:"0" below:"1" also:"val_split_fraction,test_size"`
	// Seed of what val_fraction and holdout draw. It is apart from train.seed, so that
	// runs with other seeds are measured on the same images. Default 0.
	SplitSeed int64 `json:"split_seed" min:"0" also:"val_seed"`
	// Images of the training split that are set aside, drawn with the classes'
	// shares: they leave it and are the split holdout, which val_split: holdout
	// evaluates on. From 1 on their number, such as 5000, below 1 their share. Default
	// 0: none.
	Holdout float64 `json:"holdout" min:"0" also:"hold_out,num_val"`
	// File that names the classes in the order of their labels: one name a line, a
	// name, a tab and its number, or .csv or .json of such. Images of other classes
	// are left out; numbers of .cls files get these names. ${NAME} stands for an
	// environment variable. Default empty: as the data has them.
	ClassMap string `json:"class_map" also:"classes,class_names,class_file"`
	// What is asked about an image: classify (one of the classes), multi_label (each
	// label there or not), regress (values); auto is what the data tells; csv
	// tables and the .json members of tar shards can ask for more than classes. Default
	// auto.
	Task string `json:"task" known:"auto,classify,multi_label,regress"`
	// Column of a csv table that has the picture files, relative to the table.
	// Default empty: the one whose values end as such files do.
	ImageColumn string `json:"image_column" also:"image_col,file_column,path_column"`
	// Columns of a csv table without pictures that are the input. Default empty: all
	// that are not learned, except id and split.
	FeatureColumns []string `json:"feature_columns" also:"features,feature_cols,input_columns"`
	// Columns of a csv table, or fields of the .json members of tar shards, that say
	// what is to be learned. Default empty: label, labels, class, target or
	// targets, or the only ones that can be meant.
	TargetColumns []string `json:"target_columns" also:"targets,label_column,target_column,labels"`
	// Height and width in pixels of what the network sees. Default 0: what the
	// model was made for, or else the size of the images.
	Size int `json:"size" min:"0" also:"img_size,image_size,input_size,resolution"`
	// Mean of each channel, subtracted from values in [0, 1]: one number for
	// all channels or one each. Default auto: that of the pretrained weights,
	// or else measured on the training split.
	Mean Stats `json:"mean"`
	// Standard deviation of each channel, by which values are then divided.
	// Default auto, as for mean.
	Std Stats `json:"std" above:"0"`
	// Whether every epoch goes through the training images in a new order.
	// Default true.
	Shuffle bool `json:"shuffle"`
	// Which training images an epoch takes: shuffle, each once; balanced, as many
	// draws of images as there are, every class as likely as any other; sqrt, every
	// class as likely as the square root of its size. An image with several labels
	// counts as one of its rarest. Default shuffle.
	Sampler string `json:"sampler" known:"shuffle,balanced,sqrt" also:"sampling,class_balance,weighted_sampler"`
	// Goroutines that decode and transform images ahead of the step; the
	// result does not depend on their number. Default 0: chosen by the cores.
	Workers int `json:"workers" min:"0" also:"num_workers"`
}

// Augment varies the training images. Nothing is varied by default.
type Augment struct {
	// How a training image gets its size: none (the central square), padN (pad
	// N black pixels on every side, then crop at random, as is usual for
	// CIFAR), padN_reflect (the same with mirrored borders) or rrc (random
	// resized crop, as is usual for ImageNet). Default none.
	Crop string `json:"crop" match:"none|rrc|pad[1-9][0-9]{0,3}(_reflect)?" shape:"none, rrc, padN (such as pad4) or padN_reflect"`
	// Least and greatest share of the image's area that rrc takes. Default
	// [0.08, 1].
	Scale [2]float64 `json:"scale" above:"0" max:"1"`
	// Least and greatest width/height that rrc takes. Default [3/4, 4/3].
	Ratio [2]float64 `json:"ratio" above:"0"`
	// Probability of a left-right flip. Default 0.
	HFlip float64 `json:"hflip" min:"0" max:"1" also:"flip,horizontal_flip"`
	// Whether flips are by chance (random) or every other epoch, beginning by chance
	// (alternating), which shows more different images in few epochs; hflip is then
	// 0.5. Default random.
	HFlipMode string `json:"hflip_mode" known:"random,alternating" also:"flip_mode"`
	// Probability of a top-bottom flip. Default 0.
	VFlip float64 `json:"vflip" min:"0" max:"1" also:"vertical_flip"`
	// Interpolation of rrc and of what auto moves; random draws bilinear or bicubic
	// each time. Default bilinear.
	Interpolation string `json:"interpolation" known:"nearest,box,bilinear,bicubic,lanczos,random"`
	// Automatic augmentation under timm's name: rand-m7-n2-p0.5-mstd0.5-inc1
	// (RandAugment; also mmax, and tweights, t3a or t3aw for a set of operations),
	// original, originalr, v0 or v0r (AutoAugment), 3a (3-Augment), these with
	// -mstd, augmix-m3-w3-d-1-a1-b0, or trivial (TrivialAugmentWide). Default none.
	Auto string `json:"auto" also:"auto_augment,aa,randaugment,policy"`
	// How much brightness, contrast, saturation and hue vary: one number for the
	// first three, or three or four of them; hue is at most 0.5. Default empty, off.
	ColorJitter []float64 `json:"color_jitter" min:"0" alone:"true" also:"jitter,colour_jitter,colorjitter"`
	// Probability of color_jitter. Default 1.
	ColorJitterProb float64 `json:"color_jitter_prob" above:"0" max:"1" also:"jitter_prob"`
	// Whether color_jitter is done beside auto too; timm leaves it out there, save
	// for 3-Augment. Default false, which refuses both together.
	ForceColorJitter bool `json:"force_color_jitter"`
	// Probability of taking an image's colour away. Default 0.
	Grayscale float64 `json:"grayscale" min:"0" max:"1" also:"grayscale_prob,gray_prob"`
	// Probability of a Gaussian blur of a standard deviation from 0.1 to 2 pixels.
	// Default 0.
	Blur float64 `json:"blur" min:"0" max:"1" also:"gaussian_blur_prob,blur_prob"`
	// Alpha of mixup, which blends two images of a batch and their targets. Default
	// 0, off.
	Mixup float64 `json:"mixup" min:"0" also:"mixup_alpha"`
	// Alpha of CutMix, which puts a rectangle of one image into another and mixes
	// targets by its area. Default 0, off.
	CutMix float64 `json:"cutmix" min:"0" also:"cutmix_alpha"`
	// Least and greatest share of height and of width that CutMix's rectangle takes,
	// instead of what its alpha says; turns CutMix on. Default [0, 0], off.
	CutMixMinMax [2]float64 `json:"cutmix_minmax" min:"0" max:"1"`
	// Probability of mixing a batch, a pair or an element. Default 1.
	MixProb float64 `json:"mix_prob" min:"0" max:"1" also:"mixup_prob"`
	// Probability of CutMix where both it and mixup are on. Default 0.5.
	MixSwitch float64 `json:"mix_switch" min:"0" max:"1" also:"mixup_switch_prob,switch_prob"`
	// For what a share is drawn: the batch, a pair of images or each elem. Default
	// batch.
	MixMode string `json:"mix_mode" known:"batch,pair,elem" also:"mixup_mode"`
	// Epoch, counted from 0, from which on nothing is mixed any more. Default 0:
	// mixed to the end.
	MixOffEpoch int `json:"mix_off_epoch" min:"0" also:"mixup_off_epoch"`
	// Versions of each image in a batch, for jsd: the first has only crop and flips,
	// the others, with the same crop and flips, all other augmentation too. A batch is
	// that many times train.batch_size. Default 1.
	Splits int `json:"splits" min:"1" max:"16" also:"aug_splits"`
	// How often an epoch takes each image that it takes, varied anew each time
	// (repeated augmentation). An epoch stays as long: with 3 it sees a third of the
	// images, whose number is rounded down to a multiple of 256 where there are as
	// many. The batches of an update (train.grad_accum) share an image's versions, as
	// processes do in distributed training. Default 1, off.
	Repeats int `json:"repeats" min:"0" also:"aug_repeats,repeated_augmentation"`
	// Probability of random erasing. Default 0, off.
	Erase float64 `json:"erase" min:"0" max:"1" also:"reprob,re_prob,random_erasing"`
	// What erased boxes hold: const (the mean colour), rand (a random colour) or
	// pixel (noise). Default const.
	EraseMode string `json:"erase_mode" known:"const,rand,pixel" also:"remode,re_mode"`
	// Greatest number of erased boxes, which share the area. Default 1.
	EraseCount int `json:"erase_count" min:"1" also:"recount,re_count"`
}

// Loss is what training minimises, averaged over the batch.
type Loss struct {
	// For images of one class: cross_entropy, bce (one yes-or-no question per class,
	// averaged over classes too), asymmetric or focal (both weigh down what is already
	// known), jsd (cross_entropy of the first of augment.splits versions, and how far
	// the network differs about them) or mse. For images with any number of labels: bce, asymmetric or focal.
	// For numbers: mse, mae (absolute differences), huber or smooth_l1. Default
	// cross_entropy.
	Name string `json:"name" known:"cross_entropy,bce,asymmetric,focal,jsd,mse,mae,huber,smooth_l1" also:"type"`
	// Label smoothing: the share of the target spread evenly over all classes; labels
	// of an image that may have any number are moved towards 0.5. Default 0.
	Smoothing float64 `json:"smoothing" min:"0" below:"1" also:"label_smoothing"`
	// For bce: targets above it count as 1, others as 0, after mixing and smoothing.
	// Default 0, which leaves targets as they are.
	BCEThreshold float64 `json:"bce_threshold" min:"0" below:"1" also:"bce_target_thresh"`
	// Whether bce, and focal with sigmoid, sum over the classes instead of averaging.
	// Default false.
	BCESum bool `json:"bce_sum"`
	// Weight of each class in the order of the classes, or balanced: the rarer a class
	// is among the training images, the more it counts. For cross_entropy, bce and
	// focal, and asymmetric of many labels. Default []: all alike.
	ClassWeights ClassWeights `json:"class_weights" min:"0" also:"class_weight,weight,weights"`
	// For bce, and asymmetric of many labels: weight of a class that is there against
	// one that is not, a number for all or one for each class. Default []: 1.
	PosWeight []float64 `json:"pos_weight" above:"0" also:"bce_pos_weight"`
	// Whether focal asks one question per class (sigmoid) or which class it is
	// (softmax). Default auto: softmax for images of one class, else sigmoid.
	FocalForm string `json:"focal_form" known:"auto,sigmoid,softmax"`
	// Exponent by which focal weighs down what is known. Default 2.
	FocalGamma float64 `json:"focal_gamma" min:"0" also:"gamma"`
	// Share that classes that are there have in focal with sigmoid, those that are not
	// having the rest. Default 0.25; -1 weighs both alike.
	FocalAlpha float64 `json:"focal_alpha" min:"-1" max:"1" also:"alpha"`
	// Exponent by which asymmetric weighs down classes that are there. Default 1.
	AsymGammaPos float64 `json:"asym_gamma_pos" min:"0" also:"gamma_pos"`
	// Exponent by which asymmetric weighs down classes that are not. Default 4.
	AsymGammaNeg float64 `json:"asym_gamma_neg" min:"0" also:"gamma_neg"`
	// Probability below which asymmetric of many labels takes a class that is not
	// there for known. Default 0.05.
	AsymClip float64 `json:"asym_clip" min:"0" below:"1" also:"clip"`
	// Factor of the divergence in jsd. Default 12.
	JSDAlpha float64 `json:"jsd_alpha" min:"0"`
	// Difference up to which huber is quadratic. Default 1.
	HuberDelta float64 `json:"huber_delta" above:"0" also:"delta"`
	// Difference up to which smooth_l1 is quadratic. Default 1.
	SmoothL1Beta float64 `json:"smooth_l1_beta" min:"0" also:"beta"`
}

// Distill has the network learn from a teacher, which sees the same images at the same
// size. The teacher has learned the task of the data and knows its classes, or numbers, by
// their names, or, without names, has as many. It is taken in its own normalisation.
// Networks with a distillation token (deit_tiny_distilled_patch16_224) learn what it says by a
// classifier of its own; evaluation takes the mean of both.
type Distill struct {
	// File or run folder with the teacher's weights; ${NAME} stands for an environment
	// variable. Default empty: no teacher.
	Teacher string `json:"teacher" also:"weights,checkpoint"`
	// Name of the teacher's model, for weights that do not tell. Default empty.
	Model string `json:"model" also:"teacher_model,arch"`
	// The teacher's part of the loss. Default 0.5.
	Alpha float64 `json:"alpha" min:"0" max:"1" also:"weight"`
	// By what the logits of both are divided in soft. Default 1; 1 to 4 are usual. Numbers
	// have none.
	Temperature float64 `json:"temperature" above:"0" also:"tau,t"`
	// Whether the teacher's distribution is learnt (soft: the divergence from it times
	// the squared temperature; of many labels that of each) or its most likely class
	// (hard: cross-entropy; of many labels those likelier than not). The teacher's
	// numbers are learnt by the loss of the data's, which is soft. Default soft.
	Mode string `json:"mode" known:"soft,hard" also:"type"`
}

// Optimizer turns gradients into updates. Biases and normalisation parameters
// take no weight decay.
type Optimizer struct {
	// The update rule. sgd, lars (sgd with a trust ratio for each parameter),
	// rmsprop, rmsprop_tf (as TensorFlow does it), adam, adamax, radam and madgrad
	// add weight decay to the gradient; adamw, nadamw, lion, adan, adafactor and
	// muon (for matrices; the others go by muon_rest) keep it apart; lamb adds it to
	// the step before its trust ratio. Default sgd.
	Name string `json:"name" known:"sgd,lars,rmsprop,rmsprop_tf,adam,adamw,nadamw,radam,adamax,lamb,lion,adan,adafactor,madgrad,muon" also:"type,opt"`
	// Base learning rate, which the schedule scales. Default 0.1.
	LR float64 `json:"lr" above:"0" also:"learning_rate,max_lr"`
	// Learning rate for updates of lr_base_size images, from which lr then follows
	// for updates of train.batch_size times train.grad_accum; setting lr later, as
	// with --set, wins over it. Default 0: lr is what it says.
	LRBase float64 `json:"lr_base" min:"0" also:"base_lr,blr"`
	// Images of an update for which lr_base is meant. Default 256.
	LRBaseSize int `json:"lr_base_size" min:"1"`
	// How lr follows from lr_base: linear with the images of an update, by their
	// root (sqrt), or auto, by the root for adam, lamb and their like and linear for
	// others. Default auto.
	LRBaseScale string `json:"lr_base_scale" known:"auto,linear,sqrt"`
	// Momentum of sgd, lars, rmsprop, rmsprop_tf, madgrad and muon, for which 0.95
	// is usual. Default 0.9.
	Momentum float64 `json:"momentum" min:"0" below:"1"`
	// Share of the gradient that sgd and lars keep out of the momentum. Default 0.
	Dampening float64 `json:"dampening" min:"0" max:"1"`
	// Nesterov's momentum for sgd and lars, where it needs momentum, and dampening
	// 0, and for muon, in its muon_rest, too. Default false.
	Nesterov bool `json:"nesterov"`
	// Decay of the moments: two numbers, three for adan; for adafactor the first is
	// that of a first moment, which it does without otherwise. Default [], the
	// rule's own: [0.9, 0.999], for lion [0.9, 0.99], for muon [0.9, 0.95], for
	// adan [0.98, 0.92, 0.99].
	Betas []float64 `json:"betas" min:"0" below:"1" also:"opt_betas"`
	// What keeps divisions in bounds: for adam and its kin added to the root of the
	// second moment. Default 0, the rule's own: 1e-8; 1e-6 for lamb and madgrad,
	// 1e-7 for muon, 1e-10 for rmsprop_tf.
	Eps float64 `json:"eps" min:"0" also:"epsilon,opt_eps"`
	// Decay of the mean square of rmsprop and rmsprop_tf. Default 0, the rule's own:
	// 0.99 and 0.9.
	Alpha float64 `json:"alpha" min:"0" below:"1" also:"rho"`
	// Weight decay. Default 0.
	WeightDecay float64 `json:"weight_decay" min:"0" also:"wd,l2,decay"`
	// Patterns of parameter names without weight decay, as in finetune.freeze,
	// beside those that never have it: biases, norms, tables of positions and class
	// tokens. Default empty.
	NoDecay []string `json:"no_decay" also:"no_weight_decay,no_weight_decay_list"`
	// Factors of the learning rate of parameters by patterns of their names, such as
	// ["*.offset=0.1"]; where several match, the last counts. Default empty.
	LRScale []string `json:"lr_scale" also:"lr_mult,paramwise"`
	// Factors of the weight decay of parameters by patterns of their names, such as
	// ["*.norm?.bias=0.1"], also of those that else have none; where several match, the
	// last counts. Default empty.
	DecayScale []string `json:"decay_scale" also:"decay_mult,wd_mult"`
	// Factor of the learning rate from one block of the network to the one before
	// it; the classifier has the full rate. Default 1, off.
	LayerDecay float64 `json:"layer_decay" above:"0" max:"1" also:"layer_lr_decay,llrd"`
	// lamb scales gradients down whose joint norm is greater, after train.clip_grad.
	// Default 1; 0 is off.
	MaxGradNorm float64 `json:"max_grad_norm" min:"0"`
	// lars multiplies its trust ratio with it. Default 0.001.
	TrustCoeff float64 `json:"trust_coeff" above:"0" also:"trust_coefficient,eeta"`
	// Whether the trust ratio of lamb and lars is at most 1. Default false.
	TrustClip bool `json:"trust_clip"`
	// Whether lamb and lars have a trust ratio for parameters without weight decay,
	// too. Default false.
	AlwaysAdapt bool `json:"always_adapt"`
	// Newton-Schulz steps by which muon orthogonalises an update. Default 5.
	MuonSteps int `json:"muon_steps" min:"1" also:"ns_steps"`
	// Their coefficients: quintic, which change from step to step, or original, which
	// do not. Default quintic.
	MuonCoefficients string `json:"muon_coefficients" known:"quintic,original" also:"ns_coefficients"`
	// What muon multiplies the learning rate with for a matrix of o outputs and i
	// inputs: match_rms_adamw (0.2*sqrt(max(o, i)), so that rates of adamw fit),
	// original (sqrt(max(1, o/i))), rms_to_rms (sqrt(o/i)) or none. Default
	// match_rms_adamw.
	MuonScale string `json:"muon_scale" known:"match_rms_adamw,original,rms_to_rms,none" also:"adjust_lr_fn"`
	// Whether muon brings every matrix to the norm sqrt(o) before its update: for
	// networks where a norm follows each. Default false.
	MuonUnit bool `json:"muon_unit"`
	// What updates the parameters that are no matrices: adamw, with nesterov nadamw,
	// or sgd, whose weight decay is added to the gradient. Default adamw.
	MuonRest string `json:"muon_rest" known:"adamw,sgd"`
	// Momentum of that sgd. Default 0.9.
	MuonRestMomentum float64 `json:"muon_rest_momentum" min:"0" below:"1"`
	// Patterns of names, as in finetune.freeze, of matrices that go with those, such as
	// ["head.weight"]. Default empty.
	MuonExcept []string `json:"muon_except"`
	// Every so many updates, weights go back a part of their way (lookahead).
	// Default 0, off; 6 is usual.
	LookaheadK int `json:"lookahead_k" min:"0" also:"lookahead"`
	// Part of the way that they keep. Default 0.5.
	LookaheadAlpha float64 `json:"lookahead_alpha" min:"0" max:"1"`
	// How they come to that part: they keep 1-(1-lookahead_alpha)*t^lookahead_ramp,
	// where t is the part of the training that is done, so that the first updates lose
	// nothing. Default 0, the same part from the first update on.
	LookaheadRamp float64 `json:"lookahead_ramp" min:"0"`
	// How far to climb before the gradient is taken (sharpness-aware minimisation);
	// each update then takes two passes. Default 0, off; 0.05 is usual, or 0.5 to 2
	// where adaptive.
	SAMRho float64 `json:"sam_rho" min:"0" also:"sam"`
	// Whether that distance is measured in units of each weight. Default false.
	SAMAdaptive bool `json:"sam_adaptive" also:"asam"`
}

// Schedule moves the learning rate. Package schedule has the formulas.
type Schedule struct {
	// constant, step (times gamma every step_epochs, as a staircase), exponential
	// (the same without stairs), multistep (times gamma at each of milestones),
	// cosine, poly or tanh (to min_lr along half a cosine, a power or a hyperbolic
	// tangent, in one cycle or several), one_cycle (up to the base LR and down
	// again) or plateau (times gamma when the evaluation gets no better). Default
	// cosine.
	Name string `json:"name" known:"constant,step,exponential,multistep,cosine,poly,tanh,one_cycle,plateau" also:"type,sched"`
	// Epochs of linear warm-up from warmup_lr to the base LR; a fraction is
	// allowed. The schedule runs on beneath it: it is joined where it would
	// have been without warm-up. Default 0.
	WarmupEpochs float64 `json:"warmup_epochs" min:"0" also:"warmup"`
	// Learning rate at the first step of the warm-up. Default 1e-5.
	WarmupLR float64 `json:"warmup_lr" min:"0" also:"warmup_start_lr,warmup_init_lr"`
	// Whether the schedule begins after the warm-up instead of running beneath
	// it. Default false.
	WarmupPrefix bool `json:"warmup_prefix"`
	// Epochs at min_lr at the end of the run, after the schedule's own end. They
	// are part of train.epochs. Default 0.
	CooldownEpochs float64 `json:"cooldown_epochs" min:"0" also:"cooldown"`
	// Learning rate at the end of cosine, poly and tanh, below which plateau does
	// not go, and of the cool-down. Default 0.
	MinLR float64 `json:"min_lr" min:"0" also:"eta_min,lr_min"`
	// Epochs between two drops of step, and in which exponential falls by gamma; a
	// fraction is allowed. Default 30.
	StepEpochs float64 `json:"step_epochs" above:"0" also:"step_size,decay_epochs"`
	// Epochs at which multistep drops, ascending. Default empty.
	Milestones []float64 `json:"milestones" above:"0" also:"decay_milestones"`
	// Factor of each drop of step, exponential, multistep and plateau. Default
	// 0.1.
	Gamma float64 `json:"gamma" above:"0" max:"1" also:"decay_rate,factor"`
	// Cycles of cosine, poly and tanh, each from the base LR to min_lr; after the
	// last the rate stays there. Default 1.
	CycleLimit int `json:"cycle_limit" min:"1" also:"lr_cycle_limit,cycles,restarts"`
	// Epochs of the first cycle. Default 0: as long as lets all cycles end with
	// the run.
	CycleEpochs float64 `json:"cycle_epochs" min:"0" also:"t_initial,t_0"`
	// Length of each cycle over that of the one before. Default 1.
	CycleMul float64 `json:"cycle_mul" min:"1" also:"lr_cycle_mul,t_mult"`
	// Base LR of each cycle over that of the one before. Default 1.
	CycleDecay float64 `json:"cycle_decay" above:"0" max:"1" also:"lr_cycle_decay"`
	// Power to which cosine and poly raise the share of the cycle that is over:
	// above 1 the rate stays high longer. Default 1.
	KDecay float64 `json:"k_decay" above:"0" also:"lr_k_decay"`
	// Power of poly; 1 is a straight line. Default 1.
	Power float64 `json:"power" above:"0"`
	// Argument of tanh at the beginning of a cycle. Default -7.
	TanhLow float64 `json:"tanh_low" also:"lb"`
	// Argument of tanh at the end of a cycle. Default 3.
	TanhHigh float64 `json:"tanh_high" also:"ub"`
	// Share of training during which one_cycle rises. Default 0.3.
	PctStart float64 `json:"pct_start" min:"0" max:"1"`
	// one_cycle starts at the base LR divided by this. Default 25.
	DivFactor float64 `json:"div_factor" min:"1"`
	// one_cycle ends at its start LR divided by this. Default 1e4.
	FinalDivFactor float64 `json:"final_div_factor" min:"1"`
	// Shape of one_cycle's two legs: cos or linear. Default cos.
	Anneal string `json:"anneal" known:"cos,linear" also:"anneal_strategy"`
	// Whether one_cycle moves the momentum of sgd, or the first beta of adam and
	// adamw, against the LR, from max_momentum to base_momentum and back. Default
	// false.
	CycleMomentum bool `json:"cycle_momentum"`
	// Momentum at the top of one_cycle. Default 0.85.
	BaseMomentum float64 `json:"base_momentum" min:"0" below:"1"`
	// Momentum at the ends of one_cycle. Default 0.95.
	MaxMomentum float64 `json:"max_momentum" min:"0" below:"1"`
	// Evaluations without improvement that plateau lets pass before it drops;
	// what is measured is the metric that chooses the best checkpoint. Default
	// 10.
	PatienceEpochs int `json:"patience_epochs" min:"0" also:"patience"`
	// Share of the best value by which an evaluation must be better for plateau to
	// count it as an improvement. Default 1e-4.
	Threshold float64 `json:"threshold" min:"0"`
	// Evaluations after a drop of plateau that do not count. Default 0.
	PlateauCooldown int `json:"plateau_cooldown" min:"0"`
	// Shares of the run between which the LR is noisy: two numbers, or one from
	// which on it is. Default empty, off.
	Noise []float64 `json:"noise" min:"0" max:"1" also:"lr_noise"`
	// Share of the LR that its noise stays below. Default 0.67.
	NoisePct float64 `json:"noise_pct" min:"0.01" max:"1" also:"lr_noise_pct"`
	// Standard deviation of the noise as a share of the LR, before noise_pct
	// bounds it. Default 1.
	NoiseStd float64 `json:"noise_std" above:"0" max:"10" also:"lr_noise_std"`
	// Whether the LR moves at every update or only from epoch to epoch.
	// Default update.
	Per string `json:"per" known:"update,epoch"`
}

// Train is the training loop.
type Train struct {
	// Passes over the training split. Default 10.
	Epochs int `json:"epochs" min:"1" also:"num_epochs,max_epochs"`
	// Images a forward pass. Default 128.
	BatchSize int `json:"batch_size" min:"1" also:"batch,bs"`
	// Batches whose gradients are averaged into one update. Default 1.
	GradAccum int `json:"grad_accum" min:"1" also:"grad_accum_steps,accumulation,gradient_accumulation_steps"`
	// Images of an update, from which grad_accum then follows: as many batches as
	// make them up, so that another batch_size leaves the recipe's updates as they
	// are. It must be a multiple of batch_size; setting grad_accum later, as with
	// --set, wins over it. Default 0: grad_accum is what it says.
	EffectiveBatch int `json:"effective_batch" min:"0" also:"global_batch,global_batch_size,total_batch_size"`
	// Memory that training may take, such as 2GiB: weights, gradients, the
	// optimizer's state, activations, batches and the program. Where it is short,
	// activations are computed again in the backward pass instead of kept; that
	// takes time, of which the first lines tell how much, and changes no result.
	// Evaluation keeps it too. Less than what is possible is refused. Default 0,
	// no limit.
	Memory Bytes `json:"memory" also:"memory_limit,memory_budget,max_memory,activation_checkpointing,gradient_checkpointing"`
	// Bound of the gradients, of which train.clip_mode tells. Default 0, off.
	ClipGrad float64 `json:"clip_grad" min:"0" also:"grad_clip,max_grad_norm,clip"`
	// What is bounded: norm (that of all gradients together; longer ones are scaled
	// down), value (each number) or agc (the norm of each output's gradient, in units
	// of that of its weights, the classifier excepted). Default norm.
	ClipMode string `json:"clip_mode" known:"norm,value,agc"`
	// Decay of the exponential moving average of the weights, which is then
	// what is evaluated and saved as best. Default 0, off.
	EMADecay float64 `json:"ema_decay" min:"0" below:"1" also:"ema,model_ema_decay"`
	// Evaluations in a row without improvement after which the training ends; what
	// is measured is the metric that chooses the best checkpoint. With swa_start the
	// weights are measured, and their average so far takes their place at that end.
	// Default 0, off.
	Patience int `json:"patience" min:"0" also:"early_stopping,early_stop,early_stopping_patience"`
	// What an evaluation must be better by to count as an improvement, in the
	// metric's own unit. Default 0.
	MinDelta float64 `json:"min_delta" min:"0"`
	// Epochs at the beginning whose evaluations patience does not count. Default 0.
	PatienceStart int `json:"patience_start" min:"0" also:"start_from_epoch"`
	// Whether the average begins short: its decay at update t is at most
	// 1 - t^(-2/3). Default false.
	EMAWarmup bool `json:"ema_warmup" also:"model_ema_warmup"`
	// When stochastic weight averaging begins: at this epoch or, below 1, at this
	// share of all. The weights at the ends of the epochs from there on are averaged;
	// after the last one, be it by patience, the average takes the place of the weights,
	// with the statistics of its batch norms measured anew on the training data. Not
	// with ema_decay. Default 0, off.
	SWAStart float64 `json:"swa_start" min:"0" also:"swa"`
	// Learning rate from there on. Default 0: what the schedule says.
	SWALR float64 `json:"swa_lr" min:"0"`
	// Seed of every random draw. Same seed, same bits. Default 42.
	Seed int64 `json:"seed" min:"0"`
	// What activations and their gradients are kept in, and what convolutions
	// multiply: f32, or bf16, which takes half the memory and, where the processor
	// multiplies bfloat16, less time. Sums, weights and the optimizer's state are
	// f32 in either. Default f32.
	Precision string `json:"precision" known:"f32,bf16" also:"amp,dtype,mixed_precision"`
	// Updates between two checkpoints within an epoch; one is written at the
	// end of each epoch in any case. Default 0: only there.
	SaveEveryUpdates int `json:"save_every_updates" min:"0" also:"checkpoint_interval,save_every,recovery_interval"`
	// What happens when an image cannot be read: skip (name it, count it and
	// go on) or stop. Default skip.
	OnBadImage string `json:"on_bad_image" known:"skip,stop"`
	// Updates between two reports of loss and speed. Default 10; 0 reports
	// only at the end of an epoch.
	LogEvery int `json:"log_every" min:"0" also:"log_interval"`
}

// Eval is evaluation.
type Eval struct {
	// Images a forward pass, at most: during training no more than its memory allows.
	// Default 256.
	BatchSize int `json:"batch_size" min:"1" also:"batch,bs"`
	// Height and width in pixels of what the network sees in evaluation, where it can
	// take another size than it is trained at; a larger one makes up for objects that
	// rrc makes look larger (Touvron et al., arXiv 1906.06423). Default 0: data.size.
	Size int `json:"size" min:"0" also:"img_size,image_size,test_size,resolution"`
	// Share of the resized image's side that the centre crop keeps: the short
	// side becomes floor(size/crop_pct). Default 0.875; 1 crops nothing.
	CropPct float64 `json:"crop_pct" above:"0" max:"1" also:"crop,crop_ratio"`
	// Interpolation of that resize, antialiased. Default bilinear.
	Interpolation string `json:"interpolation" known:"nearest,box,bilinear,bicubic,lanczos"`
	// Test-time augmentation, whose views of an image have their logits averaged:
	// none, flip (its mirror image too), crops5 (the middle and the four corners of
	// the resized image, which differ where crop_pct is below 1), crops10 (these and
	// their mirror images) or shifts (for small images: the image, counted twice, and as
	// it is moved by a pixel either way, and all their mirror images). Default none.
	TTA string `json:"tta" known:"none,flip,crops5,crops10,shifts" also:"test_time_augmentation,ten_crop"`
	// Figure by which the best epoch is chosen: top1, top5, f1 (the mean over
	// classes), balanced_accuracy, auc, ece or brier where an image has one class;
	// map, f1, f1_micro or exact_match where it may have several; r2, mae or rmse
	// where numbers are asked for; loss for each of them. Default auto: top1, map or
	// r2.
	Metric string `json:"metric" known:"auto,top1,top5,loss,f1,f1_micro,balanced_accuracy,auc,ece,brier,map,exact_match,r2,mae,rmse" also:"eval_metric,monitor,best_metric"`
}

// Finetune starts from the weights of another training. Without weights it
// changes nothing, gray excepted.
type Finetune struct {
	// File or run folder with the weights; ${NAME} stands for an environment
	// variable. Default empty: start from scratch.
	Weights string `json:"weights" also:"checkpoint,initial_checkpoint,pretrained"`
	// One channel from the decoder to the first convolution, whose weights are
	// adapted; data.mean and data.std of three channels are averaged. Default
	// false.
	Gray bool `json:"gray" also:"grey,grayscale"`
	// How three input channels of weights become one: sum (exact where
	// R=G=B and all channels are normalised alike), mean, luma (as colour
	// images become gray) or fold (sum with the normalisation of each channel
	// folded in). Default sum.
	GrayMethod string `json:"gray_method" known:"sum,mean,luma,fold" also:"grey_method"`
	// Patterns of parameter names that are not trained; * stands for any
	// characters. Default empty: all are trained.
	Freeze []string `json:"freeze" also:"frozen"`
	// Batch norms keep the running statistics, scales and shifts of the weights; of
	// use where batches are small. Default false.
	FreezeNorm bool `json:"freeze_norm" also:"freeze_bn,frozen_bn,frozen_batch_norm,bn_eval"`
	// Base learning rate of the classifier alone. Default 0: as the others.
	HeadLR float64 `json:"head_lr" min:"0" also:"classifier_lr"`
	// Epochs at the beginning in which the classifier alone is trained. Default 0.
	HeadEpochs int `json:"head_epochs" min:"0" also:"freeze_epochs,warmup_head_epochs"`
	// Epochs after those over which the blocks of the network are released from the
	// last to the first, as many from each epoch to the next; the optimizer begins anew
	// each time. Default 0: all at once.
	UnfreezeEpochs int `json:"unfreeze_epochs" min:"0" also:"gradual_unfreezing,gradual_unfreeze"`
}

// Pretrain is training without labels, whose weights finetune starts from. The
// optimizer, the schedule, the augmentation and the rest of train are as for labels. The
// method's own loss is measured on data.val_split after each epoch and chooses the best
// one; loss, finetune, and eval's size, tta and metric have no say.
type Pretrain struct {
	// How: dae (stacked denoising autoencoders) or rbm (stacked restricted Boltzmann
	// machines) for perceptrons, layer after layer; cae (a denoising autoencoder of
	// maps) for convolutional networks; mae (masked autoencoder) for vision
	// transformers; simmim (masked pixels are predicted) for both. Default none.
	Method string `json:"method" known:"none,dae,rbm,cae,mae,simmim" also:"name,type"`
	// Passes over the training split; for dae and rbm, of each layer. Default 0: as
	// train.epochs.
	Epochs int `json:"epochs" min:"0" also:"num_epochs"`
	// What disturbs the input of dae and cae: masking (a share of the values becomes
	// 0) or gaussian (random numbers are added). Default masking.
	Noise string `json:"noise" known:"masking,gaussian" also:"corruption,noise_type"`
	// That share, or the standard deviation of the random numbers. Default 0.25.
	NoiseLevel float64 `json:"noise_level" min:"0" also:"corruption_level,noise_std,noise_factor,drop"`
	// What dae and cae minimise: cross_entropy (of values in [0, 1], so data.mean 0 and
	// data.std 1) or mse, averaged over the values. Default mse.
	Loss string `json:"loss" known:"cross_entropy,mse" also:"reconstruction_loss,criterion"`
	// Whether the decoder of dae has the encoder's weights, transposed. Default true.
	Tied bool `json:"tied" also:"tied_weights"`
	// Share of the patches that mae and simmim hide. Default 0: 0.75 for mae, 0.6 for
	// simmim.
	MaskRatio float64 `json:"mask_ratio" min:"0" below:"1" also:"masking_ratio"`
	// Side in pixels of the squares that simmim hides. Default 0: the network's stride.
	MaskPatch int `json:"mask_patch" min:"0" also:"mask_patch_size,patch_size"`
	// Channels of the decoder of mae, and of that of cae where it begins. Default 0:
	// 512 for mae, 256 for cae.
	DecoderWidth int `json:"decoder_width" min:"0" also:"decoder_dim,decoder_embed_dim"`
	// Blocks of mae's decoder. Default 8.
	DecoderDepth int `json:"decoder_depth" min:"1"`
	// Attention heads of mae's decoder. Default 16.
	DecoderHeads int `json:"decoder_heads" min:"1" also:"decoder_num_heads"`
	// Whether mae predicts each patch's pixels less their mean, divided by their
	// standard deviation. Default true.
	NormPixels bool `json:"norm_pixels" also:"norm_pix_loss,norm_pix"`
}

// LRFind is the learning-rate range test.
type LRFind struct {
	// Learning rate of the first step. Default 1e-6.
	MinLR float64 `json:"min_lr" above:"0" also:"start_lr"`
	// Learning rate of the last step. Default 10.
	MaxLR float64 `json:"max_lr" above:"0" also:"end_lr"`
	// Steps of the sweep. Default 200.
	Steps int `json:"steps" min:"2" also:"num_iter,num_steps"`
	// Whether the learning rate is multiplied (exp) or added to (linear) from
	// step to step. Default exp.
	Mode string `json:"mode" known:"exp,linear"`
	// Weight of the past in the exponential smoothing of the loss. Default
	// 0.9.
	Smoothing float64 `json:"smoothing" min:"0" below:"1" also:"beta,smooth"`
	// The sweep ends when the smoothed loss exceeds this many times its best.
	// Default 4.
	Diverge float64 `json:"diverge" above:"1" also:"diverge_th,early_stop_threshold"`
	// Sweeps, all from the same weights, with train.seed, train.seed+1 and so on for
	// the order of the data, augmentation and dropout; their mean is read. Default
	// 1.
	Seeds int `json:"seeds" min:"1" also:"repeats,sweeps,num_seeds"`
	// Batches of eval.batch_size images, drawn once from the validation split, whose
	// loss is measured after the updates and read instead of the training loss.
	// Default 0: the training loss is read.
	ValBatches int `json:"val_batches" min:"0" also:"val_loader,num_val_batches"`
	// Steps between two measurements of that loss. Default 1.
	ValEvery int `json:"val_every" min:"1"`
}

// Output says where results go.
type Output struct {
	// The run folder; ${NAME} stands for an environment variable. Default:
	// runs/ and the name of the recipe or file.
	Dir string `json:"dir" also:"folder,path,output_dir"`
}

// Runtime is about the machine. It changes the speed, not what is learned.
type Runtime struct {
	// auto, cpu or cuda, the latter with the number of the GPU if there are
	// several (cuda:1). Default auto.
	Device string `json:"device" match:"auto|cpu|cuda(:[0-9]{1,3})?" shape:"auto, cpu, cuda or cuda:N"`
	// Threads of the computation. Default 0: one a core.
	Threads int `json:"threads" min:"0" also:"num_threads"`
	// How convolutions and linear layers are computed: auto, whichever way is fastest, Winograd's
	// minimal filtering and Strassen's algorithm included, whose results are
	// rounded more coarsely, or direct, as they are defined. Default auto.
	Convolution string `json:"convolution" known:"auto,direct" also:"conv,conv_algorithm"`
}

// Default is the configuration in which nothing has been set.
func Default() Config {
	return Config{
		Model: Model{Dropout: -1},
		Data: Data{Format: "folder", TrainSplit: "train", ValSplit: "val", ValFraction: 0.2, Shuffle: true, Sampler: "shuffle",
			Task: "auto", FeatureColumns: []string{}, TargetColumns: []string{}},
		Augment: Augment{Crop: "none", Scale: [2]float64{0.08, 1}, Ratio: [2]float64{3. / 4, 4. / 3}, HFlipMode: "random", Interpolation: "bilinear", Auto: "none", Splits: 1, Repeats: 1,
			ColorJitter: []float64{}, ColorJitterProb: 1, EraseMode: "const", EraseCount: 1, MixProb: 1, MixSwitch: 0.5, MixMode: "batch"},
		Loss: Loss{Name: "cross_entropy", PosWeight: []float64{}, FocalForm: "auto", FocalGamma: 2, FocalAlpha: 0.25,
			AsymGammaPos: 1, AsymGammaNeg: 4, AsymClip: 0.05, JSDAlpha: 12, HuberDelta: 1, SmoothL1Beta: 1},
		Distill: Distill{Alpha: 0.5, Temperature: 1, Mode: "soft"},
		Optimizer: Optimizer{
			Name: "sgd", LR: 0.1, LRBaseSize: 256, LRBaseScale: "auto", Momentum: 0.9, Betas: []float64{}, NoDecay: []string{}, LRScale: []string{}, DecayScale: []string{}, MuonExcept: []string{}, LayerDecay: 1,
			MaxGradNorm: 1, TrustCoeff: 0.001, LookaheadAlpha: 0.5, MuonSteps: 5, MuonCoefficients: "quintic",
			MuonScale: "match_rms_adamw", MuonRest: "adamw", MuonRestMomentum: 0.9,
		},
		Schedule: Schedule{
			Name: "cosine", WarmupLR: 1e-5, StepEpochs: 30, Milestones: []float64{}, Gamma: 0.1,
			CycleLimit: 1, CycleMul: 1, CycleDecay: 1, KDecay: 1, Power: 1, TanhLow: -7, TanhHigh: 3,
			PctStart: 0.3, DivFactor: 25, FinalDivFactor: 1e4, Anneal: "cos", BaseMomentum: 0.85, MaxMomentum: 0.95,
			PatienceEpochs: 10, Threshold: 1e-4, Noise: []float64{}, NoisePct: 0.67, NoiseStd: 1, Per: "update",
		},
		Train:    Train{Epochs: 10, BatchSize: 128, GradAccum: 1, ClipMode: "norm", Seed: 42, Precision: "f32", OnBadImage: "skip", LogEvery: 10},
		Eval:     Eval{BatchSize: 256, CropPct: 0.875, Interpolation: "bilinear", TTA: "none", Metric: "auto"},
		Finetune: Finetune{GrayMethod: "sum", Freeze: []string{}},
		Pretrain: Pretrain{Method: "none", Noise: "masking", NoiseLevel: 0.25, Loss: "mse", Tied: true,
			DecoderDepth: 8, DecoderHeads: 16, NormPixels: true},
		LRFind:  LRFind{MinLR: 1e-6, MaxLR: 10, Steps: 200, Mode: "exp", Smoothing: 0.9, Diverge: 4, Seeds: 1, ValEvery: 1},
		Runtime: Runtime{Device: "auto", Convolution: "auto"},
	}
}
