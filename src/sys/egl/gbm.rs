//! EGL on a graphics card itself, through GBM.
use std::os::fd::AsFd;

use gbm::{AsRaw, Device};

use super::display::{Display, NativePlatform};
use super::error::EglError;

impl Display {
    /// The display of a GBM device (EGL_KHR_platform_gbm), which it keeps open.
    pub fn of_gbm<T: AsFd + Clone + 'static>(device: &Device<T>) -> Result<Self, EglError> {
        let native = device.as_raw().cast_mut().cast();
        // SAFETY: a live gbm_device; the clone that is the owner keeps it and the descriptor it works on.
        unsafe { Self::open(NativePlatform::Gbm, native, Box::new(device.clone())) }
    }
}
