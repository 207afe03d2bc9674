/**
 * Gives the memory of a large buffer back at once, instead of when the collector comes by.
 *
 * What buffers hold outside the heap makes the collector hurry only by tens of megabytes per thread, so a program that
 * is done with large ones all the time holds that much without need. Detaching a buffer frees its memory there and then
 * (ECMAScript 2024, `ArrayBuffer.prototype.transfer`); every view of it has length 0 afterwards, so only the sole owner
 * may release it.
 */

/** Smaller ones are left to the collector: they cost it less than the call does us. */
const releasedBytesMin = 4096;

/** Frees the buffer that the view is of. Shared memory and small buffers are left as they are. */
export function releaseBuffer(view: ArrayBufferView): void {
  const { buffer } = view;
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= releasedBytesMin) buffer.transfer(0);
}
