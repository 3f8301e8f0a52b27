// Users import one module.
@_exported import ApusCore
@_exported import ApusData
@_exported import ApusDevices
@_exported import ApusNN
@_exported import ApusOptimize
@_exported import ApusSafetensors
@_exported import ApusTraining
