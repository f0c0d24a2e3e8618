//! The global allocator: the system's own, with a count per thread, so that "nothing is allocated per frame" is a number.
//!
//! Counted is what Rust code asks for. FFmpeg and Mesa call the C allocator themselves and are not seen here.
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

thread_local! {
    /// Const-initialised and without a destructor: reading it neither allocates nor registers anything, which an
    /// allocator could not survive.
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// Heap allocations (growing one counts, freeing does not) this thread has made through Rust since it started.
pub fn thread_allocations() -> u64 {
    COUNT.try_with(Cell::get).unwrap_or(0)
}

fn count() {
    // A thread that is being torn down may have lost its cell; nobody asks for its count any more.
    let _ = COUNT.try_with(|it| it.set(it.get().wrapping_add(1)));
}

#[derive(Debug)]
struct CountingAllocator;

// SAFETY: every method hands its arguments to `System` unchanged and returns what `System` returns; counting touches
// only a thread-local cell.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller promises a layout of non-zero size, which is all `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller promises that `ptr` came from this allocator, thus from `System`, with this layout.
        unsafe { System.realloc(ptr, layout, new_size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as in `realloc`.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allocating_and_growing_count_and_freeing_does_not() {
        let before = thread_allocations();
        let mut it: Vec<u8> = Vec::with_capacity(16);
        assert_eq!(thread_allocations(), before + 1);
        it.reserve_exact(4096);
        assert_eq!(thread_allocations(), before + 2);
        drop(it);
        assert_eq!(thread_allocations(), before + 2);
    }

    #[test]
    fn each_thread_has_its_own_count() {
        let before = thread_allocations();
        let theirs = std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let before = thread_allocations();
                std::hint::black_box(vec![1u8; 100]);
                thread_allocations() - before
            });
            let ours = thread_allocations();
            let theirs = thread.join().expect("it does not panic");
            assert!(ours >= before);
            theirs
        });
        assert_eq!(theirs, 1);
    }
}
