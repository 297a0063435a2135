// Work that follows a value which changes faster than the work takes: one run at a time, and after
// it one of the newest value. So a slider never builds a queue, the answer on screen is never older
// than one run, and the last value always gets its answer.
export class Latest<Value> {
  private next: Value | undefined;
  private waiting = false;
  private busy = false;

  constructor(private readonly run: (value: Value, superseded: () => boolean) => Promise<void>) {}

  ask(value: Value) {
    this.next = value;
    this.waiting = true;
    if (!this.busy) void this.drain();
  }

  private async drain() {
    this.busy = true;
    try {
      while (this.waiting) {
        const value = this.next as Value;
        this.waiting = false;
        await this.run(value, () => this.waiting);
      }
    } finally {
      this.busy = false;
    }
  }
}
