// Who follows a journal while it is written.
/**
 * Is told what happens to a journal, in its order, so that it can be kept elsewhere too.
 */
export interface JournalMirror {
  /**
   * A frame with operations was appended.
   * @param payload its operations, valid during the call
   * @param file number of the file that has it
   */
  onFrame(payload: Buffer, file: number): void;
  /** The oldest file goes. What is needed of it is in frames that were told before. */
  onDropped(file: number): void;
}
