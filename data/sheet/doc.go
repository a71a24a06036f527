// Package sheet draws contact sheets: pictures as a network gets them, in rows under
// their names. It is for looking at what augmentation does.
//
// [New] makes an empty sheet, which is an [image.Image]; [Sheet.Paint] puts a picture into
// it and takes its normalisation back.
package sheet
