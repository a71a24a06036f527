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

// orient turns im upright by an EXIF orientation of 2 to 8.
func orient(im *Image, orientation int) {
	src := *im
	*im = Image{}
	w, h := src.Width, src.Height
	if orientation >= 5 {
		w, h = h, w
	}
	im.Reset(w, h, src.Channels)
	for y := range h {
		row := im.Row(y)
		for x := range w {
			var sx, sy int
			switch orientation {
			case 2:
				sx, sy = w-1-x, y
			case 3:
				sx, sy = w-1-x, h-1-y
			case 4:
				sx, sy = x, h-1-y
			case 5:
				sx, sy = y, x
			case 6:
				sx, sy = y, w-1-x
			case 7:
				sx, sy = h-1-y, w-1-x
			case 8:
				sx, sy = h-1-y, x
			}
			from := sy*src.Stride + sx*src.Channels
			copy(row[x*src.Channels:(x+1)*src.Channels], src.Pix[from:])
		}
	}
}
