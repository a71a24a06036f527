// Package atomicfile puts files and folders in place whole or not at all.
//
// A program may be killed between any two system calls. [Write] therefore
// fills a temporary file beside the target, flushes it to the disk and renames
// it: a reader sees the old content or the new, never a part.
//
// A folder needs one idea more, because no portable call replaces a folder
// that is not empty. [WriteDir] fills `name.tmp-*` beside `name`, moves the old
// folder to `name.prev-*`, moves the new one into its place, and only then
// deletes what is left over. Between the two moves `name` does not exist; at
// every moment, though, the old or the new folder is complete under one of
// the three names, and [Leftovers] lists the other two for a reader that
// recovers. Which of them are complete only the reader can tell, by a file
// that is written last.
//
// One process at a time may write a given target.
package atomicfile
