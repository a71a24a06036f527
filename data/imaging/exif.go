package imaging

import (
	"bytes"
	"encoding/binary"
)

// exifOrientation finds tag 0x0112 in the EXIF data of a JPEG or PNG file: 1 to
// 8, and 1 where there is none or it makes no sense.
func exifOrientation(data []byte) int {
	return tiffOrientation(exifBlock(data))
}

// exifBlock returns the TIFF structure that carries a picture's EXIF tags, or nil.
func exifBlock(data []byte) []byte {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xd8")):
		for data = data[2:]; len(data) >= 4 && data[0] == 0xff; {
			marker, size := data[1], int(binary.BigEndian.Uint16(data[2:]))
			if marker == 0xff { // a fill byte
				data = data[1:]
				continue
			}
			if marker == 0xda || size < 2 || len(data) < 2+size { // the scan follows, or the file is cut
				return nil
			}
			body := data[4 : 2+size]
			if marker == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) {
				return body[6:]
			}
			data = data[2+size:]
		}
	case bytes.HasPrefix(data, []byte("\x89PNG")):
		for data = data[min(8, len(data)):]; len(data) >= 12; {
			size, name := uint64(binary.BigEndian.Uint32(data)), string(data[4:8])
			if size+12 > uint64(len(data)) || name == "IEND" {
				return nil
			}
			if name == "eXIf" {
				return data[8 : 8+size]
			}
			data = data[size+12:]
		}
	}
	return nil
}

// tiffOrientation reads the orientation from the first directory of a TIFF structure.
func tiffOrientation(tiff []byte) int {
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return 1
	}
	entries := int(order.Uint16(tiff[at:]))
	for tiff = tiff[at+2:]; entries > 0 && len(tiff) >= 12; entries-- {
		const orientation, short = 0x0112, 3
		if order.Uint16(tiff) == orientation && order.Uint16(tiff[2:]) == short {
			if v := int(order.Uint16(tiff[8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
		tiff = tiff[12:]
	}
	return 1
}

// turn leads from the upright picture to the stored one: its columns and rows are
// taken from the other end, and then swapped.
type turn struct{ mirror, upend, swap bool }

// turns has the turn of each EXIF orientation from 1 to 8.
var turns = [9]turn{
	2: {mirror: true}, 3: {mirror: true, upend: true}, 4: {upend: true},
	5: {swap: true}, 6: {mirror: true, swap: true}, 7: {mirror: true, upend: true, swap: true}, 8: {upend: true, swap: true},
}

// stored is where a rectangle of the upright picture of width x height lies in the
// stored one.
func (t turn) stored(x, y, w, h, width, height int) (sx, sy, sw, sh int) {
	if t.mirror {
		x = width - x - w
	}
	if t.upend {
		y = height - y - h
	}
	if t.swap {
		return y, x, h, w
	}
	return x, y, w, h
}

// box is the box of the upright image that was box in the stored one.
func (t turn) box(box Rect, upright *Image) Rect {
	if t.swap {
		box = Rect{box.Y0, box.X0, box.Y1, box.X1}
	}
	if t.mirror {
		box.X0, box.X1 = float32(upright.Width)-box.X1, float32(upright.Width)-box.X0
	}
	if t.upend {
		box.Y0, box.Y1 = float32(upright.Height)-box.Y1, float32(upright.Height)-box.Y0
	}
	return box
}

// orient makes dst the upright picture of src. They must differ.
func (t turn) orient(dst, src *Image) {
	w, h := src.Width, src.Height
	if t.swap {
		w, h = h, w
	}
	dst.Reset(w, h, src.Channels)
	for y := range h {
		row := dst.Row(y)
		for x := range w {
			sx, sy, _, _ := t.stored(x, y, 1, 1, w, h)
			from := sy*src.Stride + sx*src.Channels
			copy(row[x*src.Channels:(x+1)*src.Channels], src.Pix[from:])
		}
	}
}
