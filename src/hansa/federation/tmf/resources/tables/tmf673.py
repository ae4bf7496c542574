"""Attributes that TMF673 Geographic Address alone has (see engine.attributes)."""

TABLE = """
GeographicAddress: id href city country locality name postcode stateOrProvince streetName streetNr
  streetNrLast streetNrLastSuffix streetNrSuffix streetSuffix streetType
  geographicLocation:GeographicLocationRefOrValue geographicSubAddress:GeographicSubAddress*
GeographicAddressValidation: id href provideAlternative:flag validationDate:time validationResult
  alternateGeographicAddress:GeographicAddress* state:TaskStateType
  submittedGeographicAddress:GeographicAddress validGeographicAddress:GeographicAddress
GeographicLocationRefOrValue: id href name bbox:number* @referredType @type!
GeographicSubAddress: id href buildingName levelNumber levelType name privateStreetName
  privateStreetNumber subAddressType subUnitNumber subUnitType
TaskStateType = accepted | terminatedWithError | inProgress | done
"""
