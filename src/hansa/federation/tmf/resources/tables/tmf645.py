"""Attributes that TMF645 Service Qualification alone has (see engine.attributes)."""

TABLE = """
AlternateServiceProposal: id alternateServiceAvailabilityDate:time
  alternateService:ServiceRefOrValue
CheckServiceQualification: id href checkServiceQualificationDate:time description
  effectiveQualificationDate:time estimatedResponseDate:time expectedQualificationDate:time
  expirationDate:time externalId instantSyncQualification:flag provideAlternative:flag
  provideUnavailabilityReason:flag qualificationResult relatedParty:RelatedParty*
  serviceQualificationItem:CheckServiceQualificationItem* state:TaskStateType
CheckServiceQualificationItem: id expectedActivationDate:time expectedServiceAvailabilityDate:time
  expirationDate:time qualificationResult state alternateServiceProposal:AlternateServiceProposal*
  category:ServiceCategoryRef
  eligibilityUnavailabilityReason:ServiceEligibilityUnavailabilityReason*
  qualificationItemRelationship:ServiceQualificationItemRelationship*
  qualificationRelationship:ServiceQualificationRelationship* service:ServiceRefOrValue
  terminationError:TerminationError*
Feature: id isBundle:flag isEnabled:flag name! constraint:ConstraintRef*
  featureCharacteristic:Characteristic*! featureRelationship:FeatureRelationship*
FeatureRelationship: id name! relationshipType! validFor:TimePeriod
Note: id author date:time text
QueryServiceQualification: id href description effectiveQualificationDate:time
  estimatedResponseDate:time expectedQualificationDate:time expirationDate:time externalId
  instantSyncQualification:flag queryServiceQualificationDate:time relatedParty:RelatedParty*
  searchCriteria:ServiceQualificationItem serviceQualificationItem:ServiceQualificationItem*
  state:TaskStateType
RelatedEntityRefOrValue: id href name role! @referredType
RelatedParty: id! href name role @referredType!
RelatedServiceOrderItem: itemId! role serviceOrderHref serviceOrderId!
  itemAction:OrderItemActionType @referredType
ServiceCategoryRef: id! href name version @referredType
ServiceEligibilityUnavailabilityReason: code label
ServiceQualificationItem: id expectedActivationDate:time expectedServiceAvailabilityDate:time
  expirationDate:time category:ServiceCategoryRef service:ServiceRefOrValue
ServiceQualificationItemRelationship: id relationshipType
ServiceQualificationRelationship: id relationshipType
ServiceRefOrValue: id href category description endDate:time hasStarted:flag isBundle:flag
  isServiceEnabled:flag isStateful:flag name serviceDate serviceType startDate:time startMode
  feature:Feature* note:Note* place:RelatedPlaceRefOrValue* relatedEntity:RelatedEntityRefOrValue*
  relatedParty:RelatedParty* serviceCharacteristic:Characteristic*
  serviceOrderItem:RelatedServiceOrderItem* serviceRelationship:ServiceRelationship*
  serviceSpecification:ServiceSpecificationRef state:ServiceStateType
  supportingResource:ResourceRef* supportingService:ServiceRefOrValue* @referredType
ServiceRelationship: relationshipType! service:ServiceRefOrValue
  serviceRelationshipCharacteristic:Characteristic*
ServiceStateType = feasibilityChecked | designed | reserved | inactive | active | terminated
TaskStateType = accepted | terminatedWithError | inProgress | done
"""
